import fc from 'fast-check';
import {
  type AttackContext,
  type AttackName,
  type AttackResult,
  attacks,
  type Classifier,
  type Constraints,
  insideThreatModel,
  predictedClass,
  type Samples,
  type Steps,
  type ThreatModel,
} from '../../../src/core/attacks/index.js';
import { allowedBox } from '../../../src/core/attacks/threat-model.js';
import { randomStream } from '../../../src/core/random/index.js';
import { type Norm, norms } from '../../../src/core/spec/index.js';
import { tanhClassifier } from './analytic-classifiers.js';

const listed = (...values: number[]): Steps => ({ count: values.length, at: (step) => values[step]! });
const tenths: Steps = { count: 11, at: (step) => Math.fround(step / 10) };

/**
 * A row of a table: three categories, two counts from 0 to 10 that the model sees as 0 to 1, two measures, a choice of
 * three; and a measure and a category that the adversary cannot change.
 */
const SIZE = 12;
const categories = listed(0, 0.5, 1);
const table: Constraints = {
  fixed: Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1),
  steps: Array.from({ length: SIZE }, (_, i) => {
    if (i < 3 || i === 11) return categories;
    return i < 5 ? tenths : undefined;
  }),
  oneHot: [[7, 8, 9]],
};
const tableThreat = (norm: Norm, epsilon: number): ThreatModel => ({
  norm,
  epsilon,
  minimum: new Float32Array(SIZE),
  maximum: new Float32Array(SIZE).fill(1),
  constraints: table,
});
const row = (matrix: Float32Array, index: number, size = SIZE): Float32Array =>
  matrix.subarray(index * size, (index + 1) * size);

const stream = randomStream(11, 'constraints.test');
const normals = (n: number): readonly number[] => Array.from({ length: n }, () => stream.normal());
const network = (size: number, classes: number): Classifier =>
  tanhClassifier(
    Array.from({ length: 16 }, () => normals(size).map((w) => 1.5 * w)),
    Array.from({ length: classes }, () => normals(16)),
  );
const N = 24;
const rows = Float32Array.from(
  Array.from({ length: N }, () => {
    const pick = (steps: Steps): number => steps.at(stream.integer(steps.count));
    const choice = stream.integer(3);
    return [
      ...[categories, categories, categories, tenths, tenths].map(pick),
      stream.uniform(),
      stream.uniform(),
      ...[0, 1, 2].map((i) => (i === choice ? 1 : 0)),
      stream.uniform(),
      pick(categories),
    ];
  }).flat(),
);

async function labelled(classifier: Classifier, inputs: Float32Array): Promise<Samples> {
  const n = inputs.length / classifier.shape[0]!;
  const logits = await classifier.logits(inputs, n);
  return {
    ids: Array.from({ length: n }, (_, i) => `row-${i}`),
    inputs,
    labels: Uint32Array.from({ length: n }, (_, i) => predictedClass(logits, classifier.classes, i)),
  };
}

type Run = (c: Classifier, s: Samples, t: ThreatModel, how: AttackContext) => Promise<AttackResult>;
const climb = { steps: 12, restarts: 1 };
const runs: Readonly<Record<AttackName, Run>> = {
  fgsm: (c, s, t, how) => attacks.fgsm.run(c, s, t, {}, how),
  pgd: (c, s, t, how) => attacks.pgd.run(c, s, t, { ...climb, stepSize: t.epsilon / 4 }, how),
  'apgd-ce': (c, s, t, how) => attacks['apgd-ce'].run(c, s, t, climb, how),
  'apgd-dlr': (c, s, t, how) => attacks['apgd-dlr'].run(c, s, t, climb, how),
  'apgd-t': (c, s, t, how) => attacks['apgd-t'].run(c, s, t, { ...climb, targets: 2 }, how),
  fab: (c, s, t, how) => attacks.fab.run(c, s, t, climb, how),
  'fab-t': (c, s, t, how) => attacks['fab-t'].run(c, s, t, { ...climb, targets: 2 }, how),
  coordinate: (c, s, t, how) => attacks.coordinate.run(c, s, t, { ...climb, points: 50 }, how),
  transfer: (c, s, t, how) => attacks.transfer.run(c, s, t, climb, { ...how, surrogate: c }),
  square: (c, s, t, how) => attacks.square.run(c, s, t, { queries: 40 }, how),
  'hop-skip-jump': (c, s, t, how) => attacks['hop-skip-jump'].run(c, s, t, { queries: 60 }, how),
};
const context: AttackContext = { seed: 3, batchSize: 10 };

describe('under constraints', () => {
  const classifier = network(SIZE, 3);

  it.each(Object.keys(runs) as AttackName[])('%s sends nothing but rows of the table', async (name) => {
    const samples = await labelled(classifier, rows);
    let broken = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...norms),
        fc.constantFrom(0.05, 0.3, 0.55, 1, 1.5, 2.2, 4),
        fc.nat(1000),
        async (norm, epsilon, seed) => {
          const { adversarial, success } = await runs[name](classifier, samples, tableThreat(norm, epsilon), {
            ...context,
            seed,
          });
          const logits = await classifier.logits(adversarial, N);
          for (const index of samples.ids.keys()) {
            const [before, after] = [row(rows, index), [...row(adversarial, index)]];
            for (const i of [0, 1, 2]) expect([0, 0.5, 1]).toContain(after[i]);
            for (const i of [3, 4]) {
              expect(after[i]).toBe(Math.fround(Math.round(10 * after[i]!) / 10));
            }
            expect(after.slice(7, 10).sort()).toEqual([0, 0, 1]);
            expect(after.slice(10)).toEqual([...before.slice(10)]);
            const moves = after.map((value, i) => Math.abs(value - before[i]!));
            const length = {
              linf: Math.max(...moves),
              l2: Math.sqrt(moves.reduce((sum, move) => sum + move * move, 0)),
              l1: moves.reduce((sum, move) => sum + move, 0),
            }[norm];
            expect(length).toBeLessThanOrEqual(epsilon);
            expect(Math.min(...after)).toBeGreaterThanOrEqual(0);
            expect(Math.max(...after)).toBeLessThanOrEqual(1);
            const wrong = predictedClass(logits, classifier.classes, index) !== samples.labels[index];
            expect(success[index]).toBe(wrong ? 1 : 0);
          }
          broken += success.reduce((sum, one) => sum + one, 0);
        },
      ),
      { numRuns: 12, examples: [['linf', 1, 0]] },
    );
    expect(broken).toBeGreaterThan(0);
  });

  it('a change to what is fixed, between steps, or of a group to none or two, is outside', () => {
    const threat = tableThreat('linf', 1);
    const original = Float32Array.of(0, 0.5, 1, Math.fround(0.3), 1, 0.2, 0.7, 0, 1, 0, 0.4, 0.5);
    const edited = (...edits: readonly (readonly [number, number])[]): boolean => {
      const candidate = original.slice();
      for (const [i, value] of edits) candidate[i] = value;
      return insideThreatModel(original, candidate, threat);
    };
    expect(edited()).toBe(true);
    expect(edited([0, 1], [1, 0], [3, 0.7], [5, 0.123], [8, 0], [9, 1])).toBe(true);
    expect(edited([0, 0.25])).toBe(false);
    expect(edited([3, 0.3])).toBe(true);
    expect(edited([3, 0.31])).toBe(false);
    expect(edited([3, 0.1 + 2e-8])).toBe(false);
    expect(edited([8, 0])).toBe(false);
    expect(edited([7, 1])).toBe(false);
    expect(edited([7, 0.5], [8, 0.5])).toBe(false);
    expect(edited([10, 0.40001])).toBe(false);
    expect(edited([11, 1])).toBe(false);
  });

  it('a sample that is no row of the table is refused by its name', () => {
    const inputs = row(rows, 0).slice();
    inputs[1] = 0.25;
    const samples: Samples = { ids: ['odd-one'], inputs, labels: new Uint32Array(1) };
    expect(() => allowedBox(samples, tableThreat('l2', 1))).toThrow(/odd-one.*value 1.*0\.25/);
  });
});

describe('the coordinate attack, where a row has few neighbours', () => {
  const WIDTH = 6;
  const discrete: Constraints = {
    fixed: Uint8Array.of(0, 0, 0, 0, 0, 1),
    steps: [categories, categories, tenths, undefined, undefined, categories],
    oneHot: [[3, 4]],
  };
  const classifier = network(WIDTH, 3);
  const values = Array.from({ length: 60 }, () => {
    const flip = stream.integer(2);
    return [
      categories.at(stream.integer(3)),
      categories.at(stream.integer(3)),
      tenths.at(stream.integer(11)),
      flip,
      1 - flip,
      categories.at(stream.integer(3)),
    ];
  });
  const inputs = Float32Array.from(values.flat());

  /** Every row there is, one by one. */
  async function robust(samples: Samples, norm: Norm, epsilon: number): Promise<readonly number[]> {
    const answers: number[] = [];
    for (const index of samples.ids.keys()) {
      const original = row(inputs, index, WIDTH);
      const near = [0, 0.5, 1].flatMap((a) =>
        [0, 0.5, 1].flatMap((b) =>
          Array.from({ length: 11 }, (_, c) => Math.fround(c / 10)).flatMap((c) =>
            [0, 1].map((flip) => [a, b, c, flip, 1 - flip, original[5]!]),
          ),
        ),
      );
      const inside = near.filter((point) => {
        const moves = point.map((value, i) => Math.abs(value - original[i]!));
        const power = norm === 'l1' ? 1 : 2;
        return norm === 'linf'
          ? Math.max(...moves) <= epsilon
          : moves.reduce((sum, move) => sum + move ** power, 0) <= epsilon ** power;
      });
      const logits = await classifier.logits(Float32Array.from(inside.flat()), inside.length);
      const wrong = inside.some((_, at) => predictedClass(logits, 3, at) !== samples.labels[index]);
      answers.push(wrong ? 1 : 0);
    }
    return answers;
  }

  it.each([
    ['linf', 0.55],
    ['l2', 0.75],
    ['l1', 0.85],
    ['l1', 2.05],
  ] as const)(
    'breaks in an %s ball of radius %d what some neighbour breaks, and no more',
    async (norm, epsilon) => {
      const samples = await labelled(classifier, inputs);
      const expected = await robust(samples, norm, epsilon);
      expect(new Set(expected)).toEqual(new Set([0, 1]));
      const threat: ThreatModel = {
        norm,
        epsilon,
        minimum: new Float32Array(WIDTH),
        maximum: new Float32Array(WIDTH).fill(1),
        constraints: discrete,
      };
      const all = await attacks.coordinate.run(
        classifier,
        samples,
        threat,
        { steps: 1, restarts: 1, points: 1000 },
        context,
      );
      expect([...all.success]).toEqual(expected);

      // With fewer points allowed than there are, it climbs, and misses at most one in twenty; without gradients, too.
      const refuse = () => Promise.reject(new Error('no gradients here'));
      const blind = { ...classifier, gradientObstacle: 'none', lossGradient: refuse, logitGradient: refuse };
      for (const model of [classifier, blind]) {
        const greedy = { steps: 20, restarts: 3, points: 1 };
        const { success } = await attacks.coordinate.run(model, samples, threat, greedy, context);
        const total = expected.reduce((sum, one) => sum + one, 0);
        expect([...success].filter((one, i) => one > expected[i]!)).toEqual([]);
        expect(success.reduce((sum, one) => sum + one, 0)).toBeGreaterThanOrEqual(0.95 * total);
      }
    },
  );

  it('tries the nearest rows first, and none after one that is misclassified', async () => {
    const samples = await labelled(classifier, inputs);
    const threat: ThreatModel = {
      norm: 'l1',
      epsilon: 4,
      minimum: new Float32Array(WIDTH),
      maximum: new Float32Array(WIDTH).fill(1),
      constraints: discrete,
    };
    const options = { steps: 1, restarts: 1, points: 1000 };
    const { adversarial, success } = await attacks.coordinate.run(
      classifier,
      samples,
      threat,
      options,
      context,
    );
    const away = (index: number): number =>
      row(adversarial, index, WIDTH).reduce((sum, value, i) => sum + Math.abs(value - values[index]![i]!), 0);
    for (const index of [...samples.ids.keys()].filter((i) => success[i]).slice(0, 20)) {
      const least = away(index) - 1e-6;
      expect((await robust(samples, 'l1', least))[index]).toBe(0);
    }
  });
});
