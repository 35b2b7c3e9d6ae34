import fc from 'fast-check';
import {
  distance,
  insideThreatModel,
  type Samples,
  type ThreatModel,
} from '../../../src/core/attacks/index.js';
import { furthest, project, type Reach } from '../../../src/core/attacks/projection.js';
import { allowedBox } from '../../../src/core/attacks/threat-model.js';
import { norms } from '../../../src/core/spec/index.js';

function reachOf(threat: ThreatModel, original: Float32Array): Reach {
  const samples: Samples = { ids: ['one'], inputs: original, labels: Uint32Array.of(0) };
  return { samples, threat, size: original.length, box: allowedBox(samples, threat) };
}

const float = fc.float({ noNaN: true, min: -1000, max: 1000 });
const value = fc
  .tuple(float, float, float)
  .map((three) => [...three].sort((a, b) => a - b) as [number, number, number]);
const radius = fc.oneof(
  fc.double({ min: 1e-12, max: 1e4, noNaN: true }),
  fc.constantFrom(0.1, 0.3, 8 / 255, 1e-40),
);
const wild = fc.oneof(fc.constantFrom(0, Number.NaN, -1e30, 1e30), fc.double({ min: -3000, max: 3000 }));

/** Small problems on the unit range, easy to solve by other means. */
const small = fc
  .tuple(
    fc.array(fc.tuple(fc.nat(64), fc.integer({ min: -128, max: 192 })), { minLength: 1, maxLength: 6 }),
    fc.integer({ min: 1, max: 64 }),
  )
  .map(([values, size]) => ({
    original: Float32Array.from(values, ([x]) => x / 64),
    point: Float64Array.from(values, ([, p]) => p / 64),
    epsilon: size / 32,
  }));
const unit = (norm: ThreatModel['norm'], epsilon: number, size: number): ThreatModel => ({
  norm,
  epsilon,
  minimum: new Float32Array(size),
  maximum: new Float32Array(size).fill(1),
});

describe.each(norms)('the projection on a %s ball and the valid range', (norm) => {
  it('lies inside, in float64 and without tolerance, and is its own projection', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(value, wild), { minLength: 1, maxLength: 8 }),
        radius,
        (values, epsilon) => {
          const threat: ThreatModel = {
            norm,
            epsilon,
            minimum: Float32Array.from(values, ([[low]]) => low),
            maximum: Float32Array.from(values, ([[, , high]]) => high),
          };
          const original = Float32Array.from(values, ([[, middle]]) => middle);
          const reach = reachOf(threat, original);
          const point = Float64Array.from(values, ([, target]) => target);
          const projected = project(reach, 0, point);
          expect(insideThreatModel(original, projected, threat)).toBe(true);
          expect(project(reach, 0, projected)).toEqual(projected);
          expect(insideThreatModel(original, furthest(reach, 0, point), threat)).toBe(true);
        },
      ),
      { numRuns: 400 },
    );
  });

  // z is the projection of p on a convex set where (p − z)·(y − z) ≤ 0 for every y of the set: the set's furthest point
  // along p − z is the y to try, and it is held against its own definition below.
  it('is the closest point: no point of the set lies beyond it, seen from the point projected', () => {
    fc.assert(
      fc.property(small, ({ original, point, epsilon }) => {
        const reach = reachOf(unit(norm, epsilon, original.length), original);
        const projected = project(reach, 0, point);
        const away = point.map((p, i) => p - projected[i]!);
        const beyond = furthest(reach, 0, away);
        const gain = away.reduce((sum, slope, i) => sum + slope * (beyond[i]! - projected[i]!), 0);
        expect(gain).toBeLessThanOrEqual(1e-5);
      }),
      { numRuns: 1000 },
    );
  });

  it('comes from the furthest points along all directions, found by trying a grid of the ball', () => {
    fc.assert(
      fc.property(
        fc.tuple(
          fc.nat(16),
          fc.nat(16),
          fc.integer({ min: -9, max: 9 }),
          fc.integer({ min: -9, max: 9 }),
          fc.integer({ min: 1, max: 16 }),
        ),
        ([x, y, up, right, size]) => {
          const original = Float32Array.of(x / 16, y / 16);
          const epsilon = size / 16;
          const reach = reachOf(unit(norm, epsilon, 2), original);
          const found = furthest(reach, 0, [up, right]);
          let best = Number.NEGATIVE_INFINITY;
          for (let i = 0; i <= 32; i++) {
            for (let j = 0; j <= 32; j++) {
              const tried = Float32Array.of(i / 32, j / 32);
              if (distance(norm, original, tried) <= epsilon)
                best = Math.max(best, up * tried[0]! + right * tried[1]!);
            }
          }
          expect(up * found[0]! + right * found[1]!).toBeGreaterThanOrEqual(best - 1e-5);
        },
      ),
    );
  });
});
