import fc from 'fast-check';
import {
  type AttackContext,
  type AttackName,
  type AttackResult,
  attacks,
  type Classifier,
  insideThreatModel,
  predictedClass,
  type Samples,
  type ThreatModel,
} from '../../../src/core/attacks/index.js';
import { allowedBox } from '../../../src/core/attacks/threat-model.js';
import { randomStream } from '../../../src/core/random/index.js';
import { norms } from '../../../src/core/spec/index.js';
import { analyticClassifier, linearClassifier, tanhClassifier } from './analytic-classifiers.js';

const SIZE = 12;
const N = 150;
const stream = randomStream(7, 'attacks.test');
const normals = (n: number): readonly number[] => Array.from({ length: n }, () => stream.normal());
const weights = normals(SIZE);
const linear = linearClassifier(weights, -weights.reduce((sum, w) => sum + w, 0) / 2);
const curved = tanhClassifier(
  Array.from({ length: 24 }, () => normals(SIZE).map((w) => 1.5 * w)),
  Array.from({ length: 4 }, () => normals(24)),
);
const inputs = Float32Array.from({ length: N * SIZE }, () => stream.uniform());
const ids = Array.from({ length: N }, (_, i) => `sample-${i}`);
const unitRange = (epsilon: number): ThreatModel => ({
  norm: 'linf',
  epsilon,
  minimum: new Float32Array(SIZE),
  maximum: new Float32Array(SIZE).fill(1),
});
const context: AttackContext = { seed: 1, batchSize: 64 };
const options = { steps: 20, restarts: 2, stepSize: 0.02 };
type Run = (
  classifier: Classifier,
  samples: Samples,
  threat: ThreatModel,
  how?: AttackContext,
) => Promise<AttackResult>;
/** Every attack, with options that suit the small models here. */
const runs: Readonly<Record<AttackName, Run>> = {
  fgsm: (classifier, samples, threat, how = context) =>
    attacks.fgsm.run(classifier, samples, threat, {}, how),
  pgd: (classifier, samples, threat, how = context) =>
    attacks.pgd.run(classifier, samples, threat, options, how),
  'apgd-ce': (classifier, samples, threat, how = context) =>
    attacks['apgd-ce'].run(classifier, samples, threat, { steps: 10, restarts: 2 }, how),
  'apgd-dlr': (classifier, samples, threat, how = context) =>
    attacks['apgd-dlr'].run(classifier, samples, threat, { steps: 10, restarts: 2 }, how),
  'apgd-t': (classifier, samples, threat, how = context) =>
    attacks['apgd-t'].run(classifier, samples, threat, { steps: 10, restarts: 1, targets: 2 }, how),
  fab: (classifier, samples, threat, how = context) =>
    attacks.fab.run(classifier, samples, threat, { steps: 6, restarts: 2 }, how),
  'fab-t': (classifier, samples, threat, how = context) =>
    attacks['fab-t'].run(classifier, samples, threat, { steps: 6, restarts: 2, targets: 2 }, how),
  // Through itself, a model is attacked as by Auto-PGD on the cross-entropy.
  transfer: (classifier, samples, threat, how = context) =>
    attacks.transfer.run(
      classifier,
      samples,
      threat,
      { steps: 10, restarts: 2 },
      { ...how, surrogate: classifier },
    ),
  coordinate: (classifier, samples, threat, how = context) =>
    attacks.coordinate.run(classifier, samples, threat, { steps: 8, restarts: 2, points: 100 }, how),
  square: (classifier, samples, threat, how = context) =>
    attacks.square.run(classifier, samples, threat, { queries: 60 }, how),
  'hop-skip-jump': (classifier, samples, threat, how = context) =>
    attacks['hop-skip-jump'].run(classifier, samples, threat, { queries: 120 }, how),
};
const names = Object.keys(runs) as AttackName[];
const count = (success: Uint8Array): number => success.reduce((sum, value) => sum + value, 0);

async function labelled(classifier: Classifier): Promise<Samples> {
  const logits = await classifier.logits(inputs, N);
  return {
    ids,
    inputs,
    labels: Uint32Array.from(ids, (_, i) => predictedClass(logits, classifier.classes, i)),
  };
}

function pick(samples: Samples, positions: readonly number[]): Samples {
  return {
    ids: positions.map((p) => samples.ids[p]!),
    inputs: Float32Array.from(
      positions.flatMap((p) => [...samples.inputs.subarray(p * SIZE, (p + 1) * SIZE)]),
    ),
    labels: Uint32Array.from(positions, (p) => samples.labels[p]!),
  };
}

const row = (matrix: Float32Array, index: number): Float32Array =>
  matrix.subarray(index * SIZE, (index + 1) * SIZE);

describe('the attacks', () => {
  it.each([0.02, 0.05, 0.1])(
    'break exactly the samples of a linear model whose margin the ball of radius %d can eat',
    async (epsilon) => {
      const samples = await labelled(linear);
      const expected = ids.map((_, index) => {
        const sign = samples.labels[index] === 0 ? -1 : 1;
        const worst = row(inputs, index).reduce((sum, x, i) => {
          const push = sign * weights[i]! > 0 ? Math.min(1, x + epsilon) : Math.max(0, x - epsilon);
          return sum + weights[i]! * (push - 0.5);
        }, 0);
        return sign * worst > 0 ? 1 : 0;
      });
      expect(new Set(expected)).toEqual(new Set([0, 1]));
      const threat = unitRange(epsilon);
      for (const name of ['fgsm', 'apgd-ce', 'apgd-dlr', 'apgd-t', 'fab', 'fab-t'] as const) {
        expect([...(await runs[name](linear, samples, threat)).success]).toEqual(expected);
      }
      const how = { steps: 20, restarts: 1, stepSize: epsilon / 8 };
      const manySteps = await attacks.pgd.run(linear, samples, threat, how, context);
      expect([...manySteps.success]).toEqual(expected);
      // Enough queries find every corner of a linear model, one value at a time.
      const few = pick(samples, [...ids.keys()].slice(0, 60));
      const search = await attacks.square.run(linear, few, threat, { queries: 400 }, context);
      expect([...search.success]).toEqual(expected.slice(0, 60));
    },
  );

  it('on a curved model, many steps break all that one step breaks, and more', async () => {
    const samples = await labelled(curved);
    const one = await attacks.fgsm.run(curved, samples, unitRange(0.08), {}, context);
    const many = await attacks.pgd.run(curved, samples, unitRange(0.08), options, context);
    expect(ids.filter((_, i) => one.success[i] && !many.success[i])).toEqual([]);
    expect(count(one.success)).toBeGreaterThan(0);
    expect(count(many.success)).toBeGreaterThan(count(one.success));
    expect(count(many.success)).toBeLessThan(N);
  });

  it.each(names)('%s says success only of inputs that the model gets wrong', async (name) => {
    const samples = await labelled(curved);
    const { adversarial, success } = await runs[name](curved, samples, unitRange(0.08));
    const logits = await curved.logits(adversarial, N);
    expect(new Set(success)).toEqual(new Set([0, 1]));
    expect([...success]).toEqual(
      ids.map((_, i) => (predictedClass(logits, curved.classes, i) === samples.labels[i] ? 0 : 1)),
    );
  });

  it.each(names)(
    '%s gives the same bytes whatever the batch size, the order and the company of a sample',
    async (name) => {
      const samples = await labelled(curved);
      const reference = await runs[name](curved, samples, unitRange(0.08));
      const backwards = ids.map((_, i) => N - 1 - i);
      for (const [positions, batchSize] of [
        [ids.map((_, i) => i), 1],
        [backwards, 7],
        [backwards.filter((p) => p % 3 === 0), 64],
      ] as const) {
        const run = await runs[name](curved, pick(samples, positions), unitRange(0.08), {
          ...context,
          batchSize,
        });
        positions.forEach((position, i) => {
          expect(row(run.adversarial, i)).toEqual(row(reference.adversarial, position));
          expect(run.success[i]).toBe(reference.success[position]);
        });
      }
      if (name === 'fgsm') return;
      const other = await runs[name](curved, samples, unitRange(0.08), { ...context, seed: 2 });
      expect(other.adversarial).not.toEqual(reference.adversarial);
    },
  );

  it('break with Auto-PGD at least what as many plain steps break, and with Square without a gradient', async () => {
    const samples = await labelled(curved);
    const threat = unitRange(0.08);
    const plain = count((await runs.pgd(curved, samples, threat)).success);
    expect(count((await runs['apgd-ce'](curved, samples, threat)).success)).toBeGreaterThanOrEqual(plain - 1);
    expect(count((await runs['apgd-dlr'](curved, samples, threat)).success)).toBeGreaterThanOrEqual(
      plain - 1,
    );
    const refuse = () => Promise.reject(new Error('no gradients here'));
    const blackBox: Classifier = { ...curved, lossGradient: refuse, logitGradient: refuse };
    const { success } = await attacks.square.run(blackBox, samples, threat, { queries: 300 }, context);
    expect(count(success)).toBeGreaterThanOrEqual(0.9 * plain);
  });

  it.each(['apgd-ce', 'apgd-dlr'] as const)(
    'shorten the steps of %s until they hit what lies deep inside the ball',
    async (name) => {
      // Wrong only within 0.002 of a value, which first steps of 0.2 leap across.
      const narrow = analyticClassifier(
        1,
        2,
        ([x]) => [10 * Math.abs(x! - 0.537) - 0.02, 0],
        ([x], [up]) => [10 * Math.sign(x! - 0.537) * up!],
      );
      const samples: Samples = { ids, inputs: new Float32Array(N).fill(0.5), labels: new Uint32Array(N) };
      const threat: ThreatModel = {
        norm: 'linf',
        epsilon: 0.1,
        minimum: Float32Array.of(0),
        maximum: Float32Array.of(1),
      };
      const how = { steps: 50, restarts: 1 };
      const { success } = await attacks[name].run(narrow, samples, threat, how, context);
      expect(count(success)).toBeGreaterThan(0.9 * N);
    },
  );

  it('visit with Auto-PGD the points of algorithm 1 of its paper, one by one', async () => {
    const [target, epsilon, steps] = [0.5137, 0.1, 100];
    const visited: number[] = [];
    const valley = analyticClassifier(
      1,
      2,
      ([x]) => [10 * Math.abs(x! - target) + 1, 0],
      ([x], [up]) => [10 * Math.sign(x! - target) * up!],
    );
    const recorded: Classifier = {
      ...valley,
      lossGradient(points, labels, n) {
        visited.push(points[0]!);
        return valley.lossGradient(points, labels, n);
      },
    };
    const samples: Samples = { ids: ['one'], inputs: Float32Array.of(0.5), labels: new Uint32Array(1) };
    const threat: ThreatModel = {
      norm: 'linf',
      epsilon,
      minimum: Float32Array.of(0),
      maximum: Float32Array.of(1),
    };
    await attacks['apgd-ce'].run(recorded, samples, threat, { steps, restarts: 1 }, context);

    const f = (x: number): number => -Math.abs(x - target);
    const project = (x: number): number => Math.min(0.6, Math.max(0.4, x));
    let [before, x] = [visited[1]!, visited[1]!];
    let [eta, best, bestBefore, halvedBefore, rises, last] = [2 * epsilon, x, f(x), false, 0, 0];
    const expected: number[] = [];
    for (let k = 1; k <= steps; k++) {
      const z = project(x + eta * Math.sign(target - x));
      const next = k === 1 ? z : project(x + 0.75 * (z - x) + 0.25 * (x - before));
      expected.push(next);
      if (f(next) > f(x)) rises += 1;
      if (f(next) > f(best)) best = next;
      [before, x] = [x, next];
      if (![22, 41, 57, 70, 80, 87, 93, 99].includes(k)) continue;
      const halve = rises < 0.75 * (k - last) || (!halvedBefore && f(best) <= bestBefore);
      if (halve) [eta, x] = [eta / 2, best];
      [bestBefore, halvedBefore, rises, last] = [f(best), halve, 0, k];
    }
    expect(visited).toHaveLength(steps + 2);
    expected.forEach((value, i) => {
      expect(visited[i + 2]).toBeCloseTo(value, 5);
    });
  });

  it('ask with Square as often as they are told to, and no more once a sample is broken', async () => {
    const samples = await labelled(linear);
    const asked: number[] = [];
    const counting: Classifier = {
      ...linear,
      logits(points, n) {
        asked.push(n);
        return linear.logits(points, n);
      },
    };
    const { success } = await attacks.square.run(
      counting,
      samples,
      unitRange(0.05),
      { queries: 40 },
      context,
    );
    const total = asked.reduce((sum, n) => sum + n, 0);
    expect(total).toBeGreaterThan(N + 40 * (N - count(success)));
    expect(total).toBeLessThan(N + 40 * N);
  });

  it('return a sample that is wrong as it is unchanged, as a success', async () => {
    const samples = await labelled(linear);
    const wrong = { ...samples, labels: samples.labels.map((label) => 1 - label) };
    for (const name of names) {
      const run = await runs[name](linear, wrong, unitRange(0.1));
      expect(run.adversarial).toEqual(inputs);
      expect(run.success.every((value) => value === 1)).toBe(true);
    }
  });

  it('attack in later restarts only what the earlier ones left standing', async () => {
    const samples = await labelled(linear);
    const looked: number[] = [];
    const counting: Classifier = {
      ...linear,
      lossGradient(points, labels, n) {
        looked.push(n);
        return linear.lossGradient(points, labels, n);
      },
    };
    // Everything falls in the first restart: each sample is seen as it is, then at most steps + 1 times.
    const run = await attacks.pgd.run(
      counting,
      samples,
      unitRange(1),
      { steps: 3, restarts: 50, stepSize: 1 },
      context,
    );
    expect(run.success.every((value) => value === 1)).toBe(true);
    expect(looked.reduce((sum, n) => sum + n, 0)).toBeLessThanOrEqual(N * 5);
  });

  it('stand still where the gradient is zero or not a number, and claim nothing', async () => {
    for (const slope of [0, Number.NaN]) {
      const flat = analyticClassifier(
        SIZE,
        2,
        () => [1, 0],
        () => Array.from({ length: SIZE }, () => slope),
      );
      const samples = await labelled(flat);
      const oneStep = await attacks.fgsm.run(flat, samples, unitRange(0.1), {}, context);
      expect(oneStep.adversarial).toEqual(inputs);
      for (const name of names) {
        expect(count((await runs[name](flat, samples, unitRange(0.1))).success)).toBe(0);
      }
    }
  });

  it('count logits that are not finite as broken, not as an answer', async () => {
    const broken = analyticClassifier(
      SIZE,
      2,
      () => [1, Number.NaN],
      () => Array.from({ length: SIZE }, () => 0),
    );
    const samples: Samples = { ids, inputs, labels: new Uint32Array(N) };
    for (const name of names) {
      expect(count((await runs[name](broken, samples, unitRange(0.1))).success)).toBe(N);
    }
  });

  it.each(names)('%s stops before the next batch or step when it is told to', async (name) => {
    const samples = await labelled(linear);
    // All but FGSM look at the 15 batches as they are first: 18 is in the middle of a first climb.
    const last = name === 'fgsm' ? 3 : 18;
    const stop = new AbortController();
    let calls = 0;
    const counted = <Arguments extends readonly unknown[], Result>(run: (...given: Arguments) => Result) => {
      return (...given: Arguments): Result => {
        calls += 1;
        if (calls === last) stop.abort(new Error('told to stop'));
        return run(...given);
      };
    };
    const classifier: Classifier = {
      ...linear,
      lossGradient: counted(linear.lossGradient),
      logits: ['fgsm', 'pgd', 'apgd-ce'].includes(name) ? linear.logits : counted(linear.logits),
    };
    const how = { ...context, batchSize: 10, signal: stop.signal };
    await expect(runs[name](classifier, samples, unitRange(0.01), how)).rejects.toThrow('told to stop');
    expect(calls).toBe(last);
  });

  it('refuse a sample that lies outside the valid range', async () => {
    const samples: Samples = {
      ids: ['far'],
      inputs: new Float32Array(SIZE).fill(1.5),
      labels: Uint32Array.of(0),
    };
    await expect(attacks.fgsm.run(linear, samples, unitRange(0.1), {}, context)).rejects.toMatchObject({
      code: 'data-refused',
      message: 'Sample far: expected value 0 between 0 and 1, got 1.5.',
    });
  });
});

describe('the threat model', () => {
  const float = fc.float({ noNaN: true, min: -1000, max: 1000 });
  const value = fc
    .tuple(float, float, float)
    .map((three) => [...three].sort((a, b) => a - b) as [number, number, number]);
  const epsilon = fc.oneof(
    fc.double({ min: 1e-12, max: 1e3, noNaN: true }),
    fc.constantFrom(0.1, 0.3, 8 / 255, 1e-40),
  );

  it('holds every input that an attack makes, in float64 and without tolerance, whatever the gradient', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(value, { minLength: 1, maxLength: 6 }),
        epsilon,
        fc.infiniteStream(fc.oneof(fc.constantFrom(0, Number.NaN, -1, 1, Infinity), fc.double())),
        fc.constantFrom(...norms),
        async (values, radius, slopes, norm) => {
          const threat: ThreatModel = {
            norm,
            epsilon: radius,
            minimum: Float32Array.from(values, ([low]) => low),
            maximum: Float32Array.from(values, ([, , high]) => high),
          };
          const original = Float32Array.from(values, ([, middle]) => middle);
          const classifier = analyticClassifier(
            values.length,
            2,
            () => [1, 0],
            (x) => Array.from(x, () => slopes.next().value),
          );
          const samples: Samples = { ids: ['one'], inputs: original, labels: Uint32Array.of(0) };
          for (const { adversarial } of [
            await attacks.fgsm.run(classifier, samples, threat, {}, context),
            await attacks.pgd.run(
              classifier,
              samples,
              threat,
              { steps: 3, restarts: 2, stepSize: radius },
              context,
            ),
            await attacks['apgd-ce'].run(classifier, samples, threat, { steps: 4, restarts: 2 }, context),
            await attacks['apgd-dlr'].run(classifier, samples, threat, { steps: 4, restarts: 2 }, context),
            await attacks.fab.run(classifier, samples, threat, { steps: 3, restarts: 2 }, context),
            await attacks.square.run(classifier, samples, threat, { queries: 4 }, context),
          ]) {
            expect(insideThreatModel(original, adversarial, threat)).toBe(true);
          }
        },
      ),
    );
  });

  it('is closed at the outermost float32 on either side', () => {
    fc.assert(
      fc.property(value, epsilon, ([low, middle, high], radius) => {
        const threat: ThreatModel = {
          norm: 'linf',
          epsilon: radius,
          minimum: Float32Array.of(low),
          maximum: Float32Array.of(high),
        };
        const original = Float32Array.of(middle);
        const box = allowedBox({ ids: ['one'], inputs: original, labels: Uint32Array.of(0) }, threat);
        expect(insideThreatModel(original, box.lower, threat)).toBe(true);
        expect(insideThreatModel(original, box.upper, threat)).toBe(true);
        expect(insideThreatModel(original, neighbour(box.upper[0]!, 1), threat)).toBe(false);
        expect(insideThreatModel(original, neighbour(box.lower[0]!, -1), threat)).toBe(false);
      }),
    );
  });

  it.each([
    ['a step too long', [0.6, 0.5]],
    ['a value out of range', [0.5, 1.01]],
    ['a value that is not a number', [0.5, Number.NaN]],
    ['a value missing', [0.5]],
  ])('does not hold %s', (_what, values) => {
    const threat: ThreatModel = {
      norm: 'linf',
      epsilon: 0.05,
      minimum: new Float32Array(2),
      maximum: new Float32Array(2).fill(1),
    };
    expect(insideThreatModel(Float32Array.of(0.5, 0.98), Float32Array.from(values), threat)).toBe(false);
  });
});

/** The next float32, by its bits. */
function neighbour(value: number, direction: 1 | -1): Float32Array {
  const float = Float32Array.of(value);
  const bits = new Int32Array(float.buffer);
  if (value === 0) return Float32Array.of(direction * 2 ** -149);
  bits[0]! += value > 0 ? direction : -direction;
  return float;
}
