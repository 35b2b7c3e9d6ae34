import fc from 'fast-check';
import { randomStream } from '../../../src/core/random/index.js';
import { indexOfLargest, reveal, scopeOf, softmax } from '../../../src/core/serving/index.js';
import { revealsSchema, servingSchema } from '../../../src/core/spec/index.js';

const hardening = fc
  .record(
    {
      minimumConfidence: fc.double({ min: 0.01, max: 0.99, noNaN: true }),
      temperature: fc.double({ min: 1, max: 1000, noNaN: true }),
      noise: fc.double({ min: 0.001, max: 10, noNaN: true }),
      top: fc.integer({ min: 1, max: 12 }),
      decimals: fc.integer({ min: 1, max: 6 }),
    },
    { requiredKeys: [] },
  )
  .map((given) => revealsSchema.parse(given));
const logits = fc.array(fc.float({ min: -60, max: 60, noNaN: true }), { minLength: 2, maxLength: 10 });
const draws = (key: string) => () => randomStream(0, key);

describe('what is revealed of the probabilities', () => {
  it('never contradicts the answer, and says the same when it is asked again', () => {
    fc.assert(
      fc.property(logits, hardening, fc.string(), (row, reveals, key) => {
        const answer = indexOfLargest(row);
        const probabilities = softmax(row);
        const told = reveal(probabilities, answer, reveals, draws(key));
        expect(reveal(probabilities, answer, reveals, draws(key))).toEqual(told);
        const hidden = probabilities[answer]! < (reveals.minimumConfidence ?? 0);
        if (hidden) expect([...told]).toEqual(row.map(() => 0));
        for (const [index, value] of told.entries()) {
          expect(value).toBeGreaterThanOrEqual(0);
          expect(value).toBeLessThanOrEqual(1);
          expect(value).toBeLessThanOrEqual(told[answer]!);
          const places = reveals.decimals;
          if (places === undefined) continue;
          expect(value).toBe(Number(value.toFixed(places)));
          if (index !== answer && !hidden) expect(value).toBeLessThan(told[answer]!);
        }
        if (reveals.top !== undefined) {
          expect(told.filter((value) => value > 0).length).toBeLessThanOrEqual(reveals.top);
        }
      }),
    );
  });

  it('is all of it where nothing is held back', () => {
    const probabilities = softmax([0.3, -2, 5]);
    const told = reveal(probabilities, 2, revealsSchema.parse({}), draws('unused'));
    expect(told).toEqual(probabilities.map(Math.fround));
  });

  it.each([
    ['a temperature', { temperature: 2 }, [1, 0, 4].map((logit) => logit / 2), undefined],
    ['the largest two', { top: 2 }, [1, 0, 4], [0]],
  ])('is the softmax under %s', (_, given, tempered, hidden) => {
    const told = reveal(softmax([1, 0, 4]), 2, revealsSchema.parse(given), draws('unused'));
    const expected = softmax(tempered);
    for (const [index, value] of told.entries()) {
      expect(value).toBeCloseTo(hidden && index === 1 ? 0 : expected[index]!, 6);
    }
  });

  it('breaks the ties that rounding makes in favour of the answer', () => {
    const told = reveal(softmax([1, 1.001]), 1, revealsSchema.parse({ decimals: 1 }), draws('unused'));
    expect([...told]).toEqual([0.4, 0.5]);
  });

  it('has noise of the deviation that is asked for, which another key draws anew', () => {
    const reveals = revealsSchema.parse({ noise: 0.5 });
    // Far from a tie, so that nothing is exchanged.
    const ratios = Array.from({ length: 4000 }, (_, index) => {
      const [first, second] = reveal(softmax([9, 0]), 0, reveals, draws(`${index}`));
      return Math.log(first! / second!) - 9;
    });
    const mean = ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length;
    const variance = ratios.reduce((sum, ratio) => sum + (ratio - mean) ** 2, 0) / ratios.length;
    expect(mean).toBeCloseTo(0, 1);
    expect(Math.sqrt(variance)).toBeCloseTo(0.5 * Math.SQRT2, 1);
  });
});

describe('the scope of a client', () => {
  const serving = servingSchema.parse({
    scopes: { public: { reveals: { outputs: ['label'] } }, partner: { reveals: { decimals: 2 } } },
  });

  it('says what is revealed to it, and is public where its record names none', () => {
    expect(scopeOf(serving, {}).reveals.outputs).toEqual(['label']);
    expect(scopeOf(serving, { scope: 'partner' }).reveals.decimals).toBe(2);
    expect(scopeOf(undefined, { scope: 'anything' })).toEqual({ reveals: revealsSchema.parse({}) });
  });

  it.each(['staff', '__proto__', 'constructor'])('must be one that the release knows: %s is not', (scope) => {
    expect(() => scopeOf(serving, { scope })).toThrow(expect.objectContaining({ code: 'forbidden' }));
  });
});
