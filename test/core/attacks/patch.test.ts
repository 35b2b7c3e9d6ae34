import {
  type AttackContext,
  type AttackResult,
  type Classifier,
  covered,
  insideThreatModel,
  patchAttacks,
  predictedClass,
  type Samples,
  type ThreatModel,
} from '../../../src/core/attacks/index.js';
import { randomStream } from '../../../src/core/random/index.js';
import { linearClassifier, tanhClassifier } from './analytic-classifiers.js';

/** Two channels of 4 × 5 pixels. */
const [CHANNELS, HEIGHT, WIDTH] = [2, 4, 5];
const SIZE = CHANNELS * HEIGHT * WIDTH;
const N = 80;
const stream = randomStream(5, 'patch.test');
const normals = (n: number): readonly number[] => Array.from({ length: n }, () => stream.normal());
const inputs = Float32Array.from({ length: N * SIZE }, () => stream.uniform());
const threatOf = (height: number, width: number): ThreatModel => ({
  norm: 'linf',
  epsilon: 1,
  minimum: new Float32Array(SIZE),
  maximum: new Float32Array(SIZE).fill(1),
  patch: { height, width, image: { height: HEIGHT, width: WIDTH } },
});
const context: AttackContext = { seed: 1, batchSize: 16 };
const row = (matrix: Float32Array, index: number): Float32Array =>
  matrix.subarray(index * SIZE, (index + 1) * SIZE);

async function labelled(classifier: Classifier): Promise<Samples> {
  const logits = await classifier.logits(inputs, N);
  const ids = Array.from({ length: N }, (_, i) => `image-${i}`);
  return {
    ids,
    inputs,
    labels: Uint32Array.from(ids, (_, i) => predictedClass(logits, classifier.classes, i)),
  };
}

describe('the patch attack', () => {
  const weights = normals(SIZE);
  const linear = linearClassifier(weights, -weights.reduce((sum, w) => sum + w, 0) / 2);

  it.each([
    [1, 1],
    [2, 1],
  ])(
    'breaks a linear model’s samples where the best of all %d × %d patches does, and no others',
    async (height, width) => {
      const samples = await labelled(linear);
      const expected = samples.ids.map((_, index) => {
        const x = row(inputs, index);
        const sign = samples.labels[index] === 0 ? -1 : 1;
        const score = weights.reduce((sum, w, i) => sum + sign * w * (x[i]! - 0.5), 0);
        const gains: number[] = [];
        for (let y = 0; y + height <= HEIGHT; y++) {
          for (let left = 0; left + width <= WIDTH; left++) {
            let gain = 0;
            for (let i = 0; i < SIZE; i++) {
              const [line, column] = [Math.floor((i % 20) / WIDTH), i % WIDTH];
              if (line < y || line >= y + height || column < left || column >= left + width) continue;
              gain += Math.max(sign * weights[i]! * (1 - x[i]!), -sign * weights[i]! * x[i]!);
            }
            gains.push(gain);
          }
        }
        return score + Math.max(...gains) > 0 ? 1 : 0;
      });
      expect(new Set(expected)).toEqual(new Set([0, 1]));
      const { success } = await patchAttacks.patch.run(
        linear,
        samples,
        threatOf(height, width),
        { steps: 10, locations: 1 },
        context,
      );
      expect([...success]).toEqual(expected);
    },
  );

  const curved = tanhClassifier(
    Array.from({ length: 24 }, () => normals(SIZE)),
    Array.from({ length: 3 }, () => normals(24)),
  );

  it('changes nothing but one rectangle, and says success only of what the model gets wrong', async () => {
    const samples = await labelled(curved);
    const threat = threatOf(1, 1);
    const { adversarial, success } = await patchAttacks.patch.run(
      curved,
      samples,
      threat,
      { steps: 10, locations: 6 },
      context,
    );
    const logits = await curved.logits(adversarial, N);
    for (const index of samples.ids.keys()) {
      const changed = [...row(adversarial, index).keys()].filter(
        (i) => adversarial[index * SIZE + i] !== inputs[index * SIZE + i],
      );
      const rows = changed.map((i) => Math.floor((i % 20) / WIDTH));
      const columns = changed.map((i) => i % WIDTH);
      if (changed.length > 0) {
        expect(Math.max(...rows) - Math.min(...rows)).toBe(0);
        expect(Math.max(...columns) - Math.min(...columns)).toBe(0);
      }
      expect(predictedClass(logits, 3, index) !== samples.labels[index]).toBe(success[index] === 1);
    }
    const count = (of: Uint8Array): number => of.reduce((sum, value) => sum + value, 0);
    expect(count(success)).toBeLessThan(N);
    expect(count(success)).toBeGreaterThan(N / 2);
  });

  type Run = (samples: Samples, threat: ThreatModel, context: AttackContext) => Promise<AttackResult>;
  const climbing = { steps: 6, locations: 2 };
  const onCurved: Readonly<Record<keyof typeof patchAttacks, Run>> = {
    patch: (samples, threat, how) => patchAttacks.patch.run(curved, samples, threat, climbing, how),
    sticker: (samples, threat, how) => patchAttacks.sticker.run(curved, samples, threat, climbing, how),
    'patch-search': (samples, threat, how) =>
      patchAttacks['patch-search'].run(curved, samples, threat, { queries: 40 }, how),
  };

  it.each(Object.entries(onCurved))(
    '“%s” gives the same bytes whatever the batch size and the order',
    async (_, run) => {
      const samples = await labelled(curved);
      const lessons = {
        ids: samples.ids.slice(0, 9),
        inputs: inputs.slice(0, 9 * SIZE),
        labels: samples.labels.slice(0, 9),
      };
      const reference = await run(samples, threatOf(2, 2), { ...context, lessons });
      const backwards = [...samples.ids.keys()].reverse();
      const turned: Samples = {
        ids: backwards.map((i) => samples.ids[i]!),
        inputs: Float32Array.from(backwards.flatMap((i) => [...row(inputs, i)])),
        labels: Uint32Array.from(backwards, (i) => samples.labels[i]!),
      };
      const other = await run(turned, threatOf(2, 2), { ...context, lessons, batchSize: 7 });
      backwards.forEach((i, at) => {
        expect(row(other.adversarial, at)).toEqual(row(reference.adversarial, i));
      });
    },
  );

  it('an input that differs in two places further apart than a patch is wide or high is outside', () => {
    const original = row(inputs, 0);
    const changed = (...positions: readonly number[]): boolean => {
      const candidate = original.slice();
      for (const i of positions) candidate[i] = 1 - candidate[i]!;
      return insideThreatModel(original, candidate, threatOf(2, 3));
    };
    expect(changed()).toBe(true);
    // Corners of one rectangle, in both channels.
    expect(changed(6, 8, 11, 20 + 13)).toBe(true);
    expect(changed(6, 9)).toBe(false);
    expect(changed(1, 11)).toBe(false);
    expect(changed(6, 20 + 9)).toBe(false);
    // Neighbours in memory, at both ends of two lines.
    expect(changed(4, 5)).toBe(false);
  });

  it('finds by random search nearly all that gradients find, each inside the threat model', async () => {
    const samples = await labelled(linear);
    const threat = threatOf(2, 1);
    const best = await patchAttacks.patch.run(linear, samples, threat, { steps: 10, locations: 1 }, context);
    const found = await patchAttacks['patch-search'].run(linear, samples, threat, { queries: 300 }, context);
    const count = (of: Uint8Array): number => of.reduce((sum, value) => sum + value, 0);
    expect(count(found.success)).toBeGreaterThan(0.8 * count(best.success));
    found.success.forEach((broken, index) => {
      if (broken) expect(best.success[index]).toBe(1);
      expect(insideThreatModel(row(inputs, index), row(found.adversarial, index), threat)).toBe(true);
    });
  });

  it('learns from some samples one sticker for all others, the best of its place', async () => {
    const all = await labelled(linear);
    // One class: what moves the score for one of them does for all.
    const members = all.ids.flatMap((_, i) => (all.labels[i] === 1 ? [i] : []));
    const part = (places: readonly number[]): Samples => ({
      ids: places.map((i) => all.ids[i]!),
      inputs: Float32Array.from(places.flatMap((i) => [...row(inputs, i)])),
      labels: Uint32Array.from(places, () => 1),
    });
    const [lessons, others] = [part(members.slice(0, 8)), part(members.slice(8))];
    const { adversarial, success } = await patchAttacks.sticker.run(
      linear,
      others,
      threatOf(2, 2),
      { steps: 20, locations: 1 },
      { ...context, lessons },
    );
    const valuesAt = new Map<number, Set<number>>();
    for (const [at, value] of adversarial.entries()) {
      if (value === others.inputs[at]) continue;
      valuesAt.set(at % SIZE, new Set([...(valuesAt.get(at % SIZE) ?? []), value]));
    }
    expect(valuesAt.size).toBe(2 * 2 * CHANNELS);
    // Of a linear model, an end of the range at every value.
    for (const [i, values] of valuesAt) expect([...values]).toEqual([weights[i]! > 0 ? 1 : 0]);
    expect(success.reduce((sum, value) => sum + value, 0)).toBeGreaterThan(others.ids.length / 4);
    await expect(patchAttacks.sticker.run(linear, others, threatOf(2, 2), climbing, context)).rejects.toThrow(
      'expected samples to learn a sticker from',
    );
  });

  it('covers the channels of a pixel, side by side or plane by plane', () => {
    const planes = { height: 1, width: 2, image: { height: HEIGHT, width: WIDTH } };
    const pixels = { ...planes, image: { ...planes.image, interleaved: true } };
    expect(covered(planes, { x: 1, y: 2 }, SIZE)).toEqual([11, 12, 31, 32]);
    expect([...covered(pixels, { x: 1, y: 2 }, SIZE)].sort((one, other) => one - other)).toEqual([
      22, 23, 24, 25,
    ]);
    const original = row(inputs, 0);
    const changed = (patch: typeof planes, ...positions: readonly number[]): boolean => {
      const candidate = original.slice();
      for (const i of positions) candidate[i] = 1 - candidate[i]!;
      return insideThreatModel(original, candidate, { ...threatOf(1, 2), patch });
    };
    expect(changed(pixels, 22, 25)).toBe(true);
    expect(changed(pixels, 22, 26)).toBe(false);
    expect(changed(planes, 22, 25)).toBe(false);
  });

  it('asks for a patch', async () => {
    const { patch: _, ...ball } = threatOf(1, 1);
    const run = patchAttacks.patch.run(
      linear,
      await labelled(linear),
      ball,
      { steps: 1, locations: 1 },
      context,
    );
    await expect(run).rejects.toThrow('expected a threat model with a patch');
  });
});
