import fc from 'fast-check';
import { distance } from '../../../src/core/attacks/distance.js';
import { moveToHyperplane } from '../../../src/core/attacks/hyperplane.js';
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
import { randomStream } from '../../../src/core/random/index.js';
import { norms } from '../../../src/core/spec/index.js';
import { analyticClassifier, linearClassifier, tanhClassifier } from './analytic-classifiers.js';

const SIZE = 12;
const N = 40;
const stream = randomStream(11, 'norms.test');
const normals = (n: number): readonly number[] => Array.from({ length: n }, () => stream.normal());
const weights = normals(SIZE);
const linear = linearClassifier(weights, -weights.reduce((sum, w) => sum + w, 0) / 2);
const curved = tanhClassifier(
  Array.from({ length: 24 }, () => normals(SIZE)),
  Array.from({ length: 5 }, () => normals(24)),
);
const inputs = Float32Array.from({ length: N * SIZE }, () => stream.uniform());
const ids = Array.from({ length: N }, (_, i) => `sample-${i}`);
const context: AttackContext = { seed: 1, batchSize: 16 };
const threatOf = (norm: ThreatModel['norm'], epsilon: number): ThreatModel => ({
  norm,
  epsilon,
  minimum: new Float32Array(SIZE),
  maximum: new Float32Array(SIZE).fill(1),
});
const row = (matrix: Float32Array, index: number): Float32Array =>
  matrix.subarray(index * SIZE, (index + 1) * SIZE);
const count = (success: Uint8Array): number => success.reduce((sum, value) => sum + value, 0);

async function labelled(classifier: Classifier): Promise<Samples> {
  const logits = await classifier.logits(inputs, N);
  return {
    ids,
    inputs,
    labels: Uint32Array.from(ids, (_, i) => predictedClass(logits, classifier.classes, i)),
  };
}

type Run = (c: Classifier, s: Samples, t: ThreatModel, how?: AttackContext) => Promise<AttackResult>;
const runs: Readonly<Record<AttackName, Run>> = {
  fgsm: (c, s, t, how = context) => attacks.fgsm.run(c, s, t, {}, how),
  pgd: (c, s, t, how = context) =>
    attacks.pgd.run(c, s, t, { steps: 40, restarts: 1, stepSize: t.epsilon / 10 }, how),
  'apgd-ce': (c, s, t, how = context) => attacks['apgd-ce'].run(c, s, t, { steps: 40, restarts: 1 }, how),
  'apgd-dlr': (c, s, t, how = context) => attacks['apgd-dlr'].run(c, s, t, { steps: 40, restarts: 1 }, how),
  'apgd-t': (c, s, t, how = context) =>
    attacks['apgd-t'].run(c, s, t, { steps: 40, restarts: 1, targets: 4 }, how),
  fab: (c, s, t, how = context) => attacks.fab.run(c, s, t, { steps: 30, restarts: 1 }, how),
  'fab-t': (c, s, t, how = context) =>
    attacks['fab-t'].run(c, s, t, { steps: 30, restarts: 1, targets: 4 }, how),
  transfer: (c, s, t, how = context) =>
    attacks.transfer.run(c, s, t, { steps: 40, restarts: 1 }, { ...how, surrogate: c }),
  coordinate: (c, s, t, how = context) =>
    attacks.coordinate.run(c, s, t, { steps: 20, restarts: 1, points: 100 }, how),
  square: (c, s, t, how = context) => attacks.square.run(c, s, t, { queries: 200 }, how),
  'hop-skip-jump': (c, s, t, how = context) => attacks['hop-skip-jump'].run(c, s, t, { queries: 600 }, how),
};
const names = Object.keys(runs) as AttackName[];

/** The least radius at which a sample of the linear model can be broken, by bisection over what each norm allows. */
function leastRadius(norm: ThreatModel['norm'], x: Float32Array, label: number): number {
  const sign = label === 0 ? -1 : 1;
  const slopes = weights.map((w) => sign * w);
  const score = slopes.reduce((sum, w, i) => sum + w * (x[i]! - 0.5), 0);
  const room = slopes.map((w, i) => (w > 0 ? 1 - x[i]! : x[i]!));
  const gainOf = (lengths: readonly number[]): number =>
    score + lengths.reduce((sum, length, i) => sum + Math.abs(slopes[i]!) * length, 0);
  const alike = (factor: number): readonly number[] =>
    room.map((most, i) => Math.min(most, norm === 'linf' ? factor : factor * Math.abs(slopes[i]!)));
  if (norm === 'l1') {
    const order = [...slopes.keys()].sort((a, b) => Math.abs(slopes[b]!) - Math.abs(slopes[a]!));
    let [left, radius] = [-score, 0];
    for (const i of order) {
      const length = Math.min(room[i]!, left / Math.abs(slopes[i]!));
      left -= length * Math.abs(slopes[i]!);
      radius += length;
    }
    return left > 1e-9 ? Number.POSITIVE_INFINITY : radius;
  }
  let [low, high] = [0, 100];
  if (gainOf(alike(high)) < 0) return Number.POSITIVE_INFINITY;
  for (let i = 0; i < 100; i++) {
    const middle = (low + high) / 2;
    if (gainOf(alike(middle)) < 0) low = middle;
    else high = middle;
  }
  const lengths = alike(high);
  return norm === 'linf' ? high : Math.hypot(...lengths);
}

describe.each(norms)('in a %s ball', (norm) => {
  const radius = { linf: 0.08, l2: 0.3, l1: 0.7 }[norm];

  it('FGSM, Auto-PGD and FAB break a linear model’s samples at radii a little above the least, and none below', async () => {
    const samples = await labelled(linear);
    const least = ids.map((_, i) => leastRadius(norm, row(inputs, i), samples.labels[i]!));
    const chosen = [...least.keys()]
      .filter((i) => least[i]! > 0.02 * radius && least[i]! < 3 * radius)
      .slice(0, 12);
    expect(chosen).toHaveLength(12);
    for (const i of chosen) {
      const one: Samples = {
        ids: [ids[i]!],
        inputs: row(inputs, i).slice(),
        labels: samples.labels.slice(i, i + 1),
      };
      for (const name of ['fgsm', 'apgd-ce', 'apgd-dlr', 'apgd-t', 'fab', 'fab-t'] as const) {
        const slack = name === 'fgsm' ? 1e-5 : name.startsWith('fab') ? 0.06 : 0.02;
        const above = await runs[name](linear, one, threatOf(norm, least[i]! * (1 + slack)));
        const below = await runs[name](linear, one, threatOf(norm, least[i]! * (1 - 1e-5)));
        expect([name, above.success[0], below.success[0]]).toEqual([name, 1, 0]);
        if (!below.nearest) continue;
        // It says how far the boundary is that it was not allowed to cross.
        const away = distance(norm, row(inputs, i), below.nearest) / least[i]!;
        expect([name, away > 1 - 1e-5, away < 1 + slack]).toEqual([name, true, true]);
      }
    }
  });

  it('all attacks break samples of a curved model, with points that are inside and misclassified', async () => {
    const samples = await labelled(curved);
    const threat = threatOf(norm, radius);
    const broken = new Map<AttackName, number>();
    for (const name of names) {
      const { adversarial, success } = await runs[name](curved, samples, threat);
      const logits = await curved.logits(adversarial, N);
      ids.forEach((_, i) => {
        expect(insideThreatModel(row(inputs, i), row(adversarial, i), threat)).toBe(true);
        expect(predictedClass(logits, curved.classes, i) !== samples.labels[i]).toBe(success[i] === 1);
      });
      broken.set(name, count(success));
    }
    const most = Math.max(...broken.values());
    expect(most).toBeGreaterThan(N / 4);
    expect(most).toBeLessThan(N);
    for (const name of ['pgd', 'apgd-ce', 'apgd-t', 'fab', 'fab-t'] as const) {
      expect([name, broken.get(name)! >= most - 2]).toEqual([name, true]);
    }
    // Aims at whichever class is second at the moment.
    expect(broken.get('apgd-dlr')!).toBeGreaterThan(0.8 * most);
    expect(broken.get('square')!).toBeGreaterThan(most / 2);
  });

  it.each(['pgd', 'apgd-ce', 'apgd-t', 'fab', 'square', 'hop-skip-jump'] as const)(
    '%s gives the same bytes whatever the batch size and the order',
    async (name) => {
      const samples = await labelled(curved);
      const threat = threatOf(norm, radius);
      const reference = await runs[name](curved, samples, threat);
      const backwards = ids.map((_, i) => N - 1 - i);
      const turned: Samples = {
        ids: backwards.map((i) => ids[i]!),
        inputs: Float32Array.from(backwards.flatMap((i) => [...row(inputs, i)])),
        labels: Uint32Array.from(backwards, (i) => samples.labels[i]!),
      };
      const other = await runs[name](curved, turned, threat, { ...context, batchSize: 7 });
      backwards.forEach((i, at) => {
        expect(row(other.adversarial, at)).toEqual(row(reference.adversarial, i));
      });
    },
  );

  it('the shortest move to a hyperplane gets there, and along a norm’s own way', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 64 }), fc.integer({ min: -20, max: 20 })), {
          minLength: 1,
          maxLength: 6,
        }),
        fc.integer({ min: -100, max: 100 }),
        (values, at) => {
          const point = Float32Array.from(values, ([x]) => x / 64);
          const slopes = Float32Array.from(values, ([, w]) => w / 8);
          const [minimum, maximum] = [new Float32Array(point.length), new Float32Array(point.length).fill(1)];
          const move = moveToHyperplane(norm, point, at / 16, slopes, minimum, maximum);
          const left = slopes.reduce((sum, w, i) => sum + w * move[i]!, at / 16);
          const corner = slopes.reduce((sum, w, i) => {
            const way = -Math.sign(at) * w;
            return sum + Math.max(way * (1 - point[i]!), -way * point[i]!);
          }, 0);
          // Zero where the box reaches it, and as far as the box goes where not.
          expect(Math.abs(left)).toBeCloseTo(Math.max(0, Math.abs(at) / 16 - corner), 5);
          point.forEach((x, i) => {
            expect(x + move[i]!).toBeGreaterThanOrEqual(-1e-9);
            expect(x + move[i]!).toBeLessThanOrEqual(1 + 1e-9);
          });
        },
      ),
    );
  });
});

describe('an attack towards a class', () => {
  const three = analyticClassifier(
    2,
    3,
    ([x, y]) => [x!, y!, 0.7],
    (_x, [a, b]) => [a!, b!],
  );
  const samples: Samples = { ids: ['one'], inputs: Float32Array.of(0.8, 0.2), labels: Uint32Array.of(0) };
  const threat: ThreatModel = {
    norm: 'linf',
    epsilon: 0.15,
    minimum: new Float32Array(2),
    maximum: new Float32Array(2).fill(1),
  };

  it('reaches it, and goes towards the likeliest classes first', async () => {
    const options = { steps: 10, restarts: 1, stepSize: 0.03 };
    const reached = await attacks.pgd.run(three, samples, threat, { ...options, targets: 1 }, context);
    expect(reached.success[0]).toBe(1);
    expect(predictedClass(await three.logits(reached.adversarial, 1), 3)).toBe(2);
    const aimsOf = async (how: { readonly targets?: number }): Promise<readonly number[]> => {
      const aims = new Set<number>();
      const watched: Classifier = {
        ...three,
        lossGradient(points, labels, n) {
          aims.add(labels[0]!);
          return three.lossGradient(points, labels, n);
        },
      };
      const small = { ...threat, epsilon: 0.05 };
      await attacks.pgd.run(watched, samples, small, { ...options, ...how }, context);
      return [...aims];
    };
    expect(await aimsOf({})).toEqual([0]);
    expect(await aimsOf({ targets: 1 })).toEqual([0, 2]);
    expect(await aimsOf({ targets: 5 })).toEqual([0, 2, 1]);
  });
});

it('momentum carries PGD across a flat stretch that stops it without', async () => {
  // A slope, then a plain, then a cliff: only what keeps its direction gets there.
  const plain = analyticClassifier(
    1,
    2,
    ([x]) => [x! < 0.62 ? 1 - Math.min(x!, 0.52) : -1, 0],
    ([x], [up]) => [x! < 0.52 ? -up! : 0],
  );
  const samples: Samples = {
    ids: ids.slice(0, 20),
    inputs: new Float32Array(20).fill(0.5),
    labels: new Uint32Array(20),
  };
  const threat: ThreatModel = {
    norm: 'linf',
    epsilon: 0.15,
    minimum: Float32Array.of(0),
    maximum: Float32Array.of(1),
  };
  const options = { steps: 30, restarts: 1, stepSize: 0.02 };
  const without = await attacks.pgd.run(plain, samples, threat, options, context);
  const carried = await attacks.pgd.run(plain, samples, threat, { ...options, momentum: 1 }, context);
  expect(count(carried.success)).toBeGreaterThan(count(without.success));
});

describe('the rise of the loss in the last steps', () => {
  it('is told of what stands, and is no number for what is broken or climbed too shortly', async () => {
    const samples = await labelled(curved);
    const threat = threatOf('linf', 0.06);
    for (const name of ['pgd', 'apgd-ce'] as const) {
      const { success, lateRise } = await runs[name](curved, samples, threat);
      expect(new Set(success)).toEqual(new Set([0, 1]));
      ids.forEach((_, i) => {
        expect(Number.isNaN(lateRise![i]!)).toBe(success[i] === 1);
        if (success[i] === 0) expect(lateRise![i]!).toBeGreaterThanOrEqual(0);
      });
    }
    const tooSlow = { steps: 20, restarts: 1, stepSize: 1e-4 };
    const slow = await attacks.pgd.run(curved, samples, threat, tooSlow, context);
    const full = await runs.pgd(curved, samples, threat);
    const largest = (rises: Float64Array) => rises.reduce((most, rise) => (rise > most ? rise : most), 0);
    expect(largest(slow.lateRise!)).toBeGreaterThan(5 * largest(full.lateRise!));
    const short = await attacks.pgd.run(curved, samples, threat, { ...tooSlow, steps: 9 }, context);
    expect(short.lateRise!.every(Number.isNaN)).toBe(true);
  });
});
