import fc from 'fast-check';
import { momentumStepInBox, stepInBox } from '../../../src/core/attacks/box-steps.js';
import { project, type Reach } from '../../../src/core/attacks/projection.js';
import { steepest } from '../../../src/core/attacks/steepest.js';
import { allowedBox } from '../../../src/core/attacks/threat-model.js';

const infinities = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
const unit = fc.integer({ min: -64, max: 64 }).map((value) => value / 64);
const one = fc.record({
  original: unit,
  before: unit,
  point: unit,
  slope: fc.oneof(unit, fc.constantFrom(Number.NaN, ...infinities)),
  low: fc.constantFrom(-1, Number.NEGATIVE_INFINITY),
  high: fc.constantFrom(1, Number.POSITIVE_INFINITY),
});

describe('a step in an L∞ ball', () => {
  it('is the steepest one, projected, whatever the gradient and the bounds', () => {
    fc.assert(
      fc.property(
        fc.array(one, { minLength: 1, maxLength: 6 }),
        fc.constantFrom(0, 0.25, 3, Number.MAX_VALUE),
        fc.constantFrom(0, 0.1, 1, Number.POSITIVE_INFINITY),
        fc.constantFrom(1, 0.75),
        (values, epsilon, length, share) => {
          const column = (name: keyof (typeof values)[number]): Float32Array =>
            Float32Array.from(values, (each) => each[name]);
          const samples = { ids: ['one'], inputs: column('original'), labels: Uint32Array.of(0) };
          const threat = { norm: 'linf', epsilon, minimum: column('low'), maximum: column('high') } as const;
          const box = allowedBox(samples, threat);
          const reach: Reach = { samples, threat, size: values.length, box };
          const [point, before, gradient] = [column('point'), column('before'), column('slope')];

          const direction = steepest(reach, 0, point, gradient);
          const stepped = project(
            reach,
            0,
            direction.map((way, i) => point[i]! + length * way),
          );
          const moved = direction.map((_, i) => {
            const here = point[i]!;
            return here + share * (stepped[i]! - here) + (1 - share) * (here - before[i]!);
          });
          const next = new Float32Array(values.length);
          stepInBox(reach, 0, point, gradient, length, next);
          expect([...next].map((value) => value + 0)).toEqual([...stepped].map((value) => value + 0));
          momentumStepInBox(reach, 0, point, before, gradient, length, share, next);
          expect([...next].map((value) => value + 0)).toEqual(
            [...project(reach, 0, moved)].map((value) => value + 0),
          );
        },
      ),
    );
  });
});
