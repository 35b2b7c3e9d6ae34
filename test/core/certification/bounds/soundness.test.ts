import fc from 'fast-check';
import { ballAround } from '../../../../src/core/certification/bounds/ball.js';
import { boundsOver } from '../../../../src/core/certification/bounds/bounds-over.js';
import { compileNetwork } from '../../../../src/core/certification/bounds/compile.js';
import { boundedOperators } from '../../../../src/core/certification/bounds/operators/registry.js';
import { floatTensor, openSession } from '../../../../src/core/onnx/index.js';
import { randomStream } from '../../../../src/core/random/index.js';
import { pointsOf } from './ball-points.js';
import { CLASSES, drawnOperators, networkOf, recipes } from './random-networks.js';

const rows = [1, -1].flatMap((sign) =>
  Array.from({ length: CLASSES }, (_, c) =>
    Float64Array.from({ length: CLASSES }, (_, i) => (i === c ? sign : 0)),
  ),
);

test('no float32 answer of ONNX Runtime inside the ball leaves the bounds, whatever operators the network is made of', async () => {
  const seen = new Set<string>();
  let draw = 0;
  let widest = 0;
  await fc.assert(
    fc.asyncProperty(
      recipes,
      fc.constantFrom(0, 1e-3, 0.05, 0.5),
      fc.constantFrom('linf', 'l2', 'l1' as const),
      async (recipe, epsilon, norm) => {
        const { onnx, operators } = networkOf(recipe);
        for (const operator of operators) seen.add(operator);
        const size = recipe.shape.reduce((a, b) => a * b, 1);
        const stream = randomStream(7, 'soundness', String(draw++));
        const centre = Float32Array.from({ length: size }, () => stream.uniform());
        const range = { minimum: new Float32Array(size), maximum: new Float32Array(size).fill(1) };
        const ball = ballAround(centre, norm as 'linf', epsilon, range);
        const network = await compileNetwork(onnx, recipe.shape);
        const bounds = (['interval', 'crown'] as const).map((method) =>
          boundsOver(network, ball, method)(rows),
        );
        const session = await openSession(onnx, { place: 'inline' });
        const points = pointsOf(ball, stream, 40);
        for (const point of points) {
          const { out } = await session.run({ x: floatTensor([1, ...recipe.shape], point) });
          const answers = [1, -1].flatMap((sign) =>
            Array.from(out!.data as Float32Array, (value) => sign * value),
          );
          for (const least of bounds) {
            const isInside = answers.every((value, row) => value >= least[row]!);
            if (!isInside) throw new Error(`[${answers}] is not at least [${least}]`);
          }
        }
        if (epsilon === 0) {
          // Around a single point, bounds may only be as wide as rounding makes them.
          const [lower, upper] = [bounds[1]!.slice(0, CLASSES), bounds[1]!.slice(CLASSES)];
          widest = Math.max(widest, ...lower.map((low, c) => (-upper[c]! - low) / (1 + Math.abs(low))));
        }
        await session.close();
      },
    ),
    { numRuns: 100, seed: 7 },
  );
  expect(widest).toBeLessThan(2e-3);
  expect(boundedOperators.filter((name) => !seen.has(name))).toEqual([]);
  expect(boundedOperators.filter((name) => !drawnOperators.includes(name))).toEqual([]);
});
