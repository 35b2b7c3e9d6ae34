import fc from 'fast-check';
import { crossEntropy, logitDifferenceRatio, margin } from '../../../src/core/attacks/losses.js';

const logitsAndLabel = (minLength: number) =>
  fc
    .array(fc.integer({ min: -4000, max: 4000 }), { minLength, maxLength: 8 })
    .chain((values) =>
      fc.tuple(fc.constant(Float32Array.from(values, (v) => v / 256)), fc.nat(values.length - 1)),
    );

describe('the losses of logits', () => {
  it('tell rows apart that float32 cross-entropy rounds to zero alike', () => {
    const [near, far] = [crossEntropy(Float32Array.of(30, 0), 0), crossEntropy(Float32Array.of(60, 0), 0)];
    expect(near).toBeCloseTo(Math.exp(-30), 25);
    expect(near).toBeGreaterThan(far);
    expect(far).toBeGreaterThan(0);
    expect(crossEntropy(Float32Array.of(1, 2, 3), 0)).toBeCloseTo(Math.log(1 + Math.E + Math.E ** 2), 12);
  });

  it('are worked out by hand for a row of four', () => {
    const z = Float32Array.of(1, 5, 3, 2);
    expect(margin(z, 1)).toBe(-2);
    expect(margin(z, 3)).toBe(3);
    expect(logitDifferenceRatio(z, 1).loss).toBeCloseTo(-2 / 3, 9);
    expect(logitDifferenceRatio(z, 3).loss).toBeCloseTo(3 / 3, 9);
  });

  it('fall back to the margin where there are three classes or fewer', () => {
    expect(logitDifferenceRatio(Float32Array.of(4, 1, 3), 0)).toEqual({ loss: -1, weights: [-1, 0, 1] });
    expect(logitDifferenceRatio(Float32Array.of(4, 1), 1)).toEqual({ loss: 3, weights: [1, -1] });
  });

  it('make the ratio’s sign say whether the row is misclassified, whatever shifts and scales the logits', () => {
    fc.assert(
      fc.property(logitsAndLabel(4), ([z, label]) => {
        const { loss } = logitDifferenceRatio(z, label);
        expect(Math.sign(loss)).toBe(Math.sign(margin(z, label)));
        const other = z.map((value) => 4 * value + 16);
        expect(logitDifferenceRatio(other, label).loss).toBeCloseTo(loss, 6);
      }),
    );
  });

  it('give the ratio the derivatives that differences show', () => {
    fc.assert(
      fc.property(logitsAndLabel(4), ([z, label]) => {
        const sorted = [...z].sort((one, other) => one - other);
        // At ties the order of the logits has kinks.
        fc.pre(sorted.every((value, i) => i === 0 || value - sorted[i - 1]! > 0.25));
        const { weights } = logitDifferenceRatio(z, label);
        weights.forEach((weight, c) => {
          const at = (step: number) =>
            logitDifferenceRatio(
              z.map((value, i) => (i === c ? value + step : value)),
              label,
            ).loss;
          expect(weight).toBeCloseTo((at(2 ** -8) - at(-(2 ** -8))) / 2 ** -7, 2);
        });
      }),
    );
  });
});
