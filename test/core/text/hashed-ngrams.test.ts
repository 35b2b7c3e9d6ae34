import fc from 'fast-check';
import { hashedNgrams, wordsOf } from '../../../src/core/text/index.js';

const only = { words: [1, 2], characters: [], buckets: 64 };
const bucketsHit = (text: string, features = only): readonly number[] =>
  [...hashedNgrams(text, features).entries()].filter(([, value]) => value > 0).map(([bucket]) => bucket);

describe('hashed n-grams', () => {
  it('go to the buckets that another implementation of the hash gives', () => {
    // FNV-1a and the finish of MurmurHash3, in Python, of "w good", "w film", "w !", "w good film", "w film !".
    expect(bucketsHit('Good  FILM!')).toEqual([15, 33, 34, 60, 61]);
    // "c  goo", "c good", "c ood ".
    expect(bucketsHit('good', { words: [], characters: [4], buckets: 64 } as never)).toEqual([2, 8, 38]);
  });

  it('are the same for every spelling of the same characters', () => {
    const composed = hashedNgrams('caf\u00e9 ﬁlm', only);
    expect(hashedNgrams('cafe\u0301 film', only)).toEqual(composed);
    expect(hashedNgrams('ＣＡＦÉ\u3000film', only)).toEqual(composed);
  });

  it('take any text, of any length, to a vector of length one in [0, 1]', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
        const values = hashedNgrams(text, { words: [1, 3], characters: [2], buckets: 97 });
        const square = values.reduce((sum, value) => sum + value * value, 0);
        expect(values.every((value) => value >= 0 && value <= 1)).toBe(true);
        if (wordsOf(text).length > 0) expect(square).toBeCloseTo(1, 5);
        else expect(square).toBe(0);
      }),
    );
    expect(() => hashedNgrams('\ud800 lone', only)).not.toThrow();
    expect(bucketsHit('a'.repeat(2_000_000)).length).toBe(1);
    expect(bucketsHit('a !'.repeat(100_000)).length).toBeGreaterThan(1);
  });
});
