import fc from 'fast-check';
import { indexOfLargest, softmax } from '../../../src/core/serving/index.js';

const largestFloat = 3.4028234663852886e38;
const logits = fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: 1, maxLength: 50 });

describe('softmax', () => {
  it('gives probabilities that sum to 1 and keep the order of any finite logits', () => {
    fc.assert(
      fc.property(logits, (row) => {
        const probabilities = softmax(Float32Array.from(row));
        const sum = probabilities.reduce((total, value) => total + value, 0);
        expect(Math.abs(sum - 1)).toBeLessThan(1e-12);
        for (const [i, left] of row.entries()) {
          expect(probabilities[i]).toBeGreaterThanOrEqual(0);
          for (const [j, right] of row.entries()) {
            if (left >= right) expect(probabilities[i]).toBeGreaterThanOrEqual(probabilities[j]!);
          }
        }
      }),
    );
  });

  it('does not change when every logit moves by as much', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 1 }),
        fc.integer(),
        (row, shift) => {
          expect(softmax(row.map((logit) => logit + shift))).toEqual(softmax(row));
        },
      ),
    );
  });

  it.each([
    [
      [0, 0],
      [0.5, 0.5],
    ],
    [
      [largestFloat, -largestFloat],
      [1, 0],
    ],
    [
      [-largestFloat, -largestFloat],
      [0.5, 0.5],
    ],
    [
      [Math.log(1), Math.log(3)],
      [0.25, 0.75],
    ],
  ])('of %j is %j', (row, expected) => {
    for (const [index, value] of softmax(row).entries()) expect(value).toBeCloseTo(expected[index]!, 15);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    'refuses %d instead of making up an answer',
    (bad) => {
      expect(() => softmax([0, bad])).toThrow(expect.objectContaining({ code: 'prediction-undefined' }));
    },
  );
});

describe('the largest logit', () => {
  it('is the first one on ties', () => {
    expect(indexOfLargest([1, 3, 3, 2])).toBe(1);
  });
});
