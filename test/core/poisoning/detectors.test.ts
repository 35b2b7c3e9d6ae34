import { cleanPosterior, noiseModel } from '../../../src/core/poisoning/confident-learning.js';
import {
  type DetectorContext,
  detectors,
  type Inspection,
  inspect,
  type SuspectData,
} from '../../../src/core/poisoning/index.js';
import { randomStream } from '../../../src/core/random/index.js';
import { drawDigits } from './digits.js';

const noModel = () => Promise.reject(new Error('expected no model to be asked'));
const look = (name: string, data: SuspectData, more: Partial<DetectorContext> = {}): Promise<Inspection> =>
  inspect(detectors.find((detector) => detector.name === name)!, data, {
    seed: 1,
    falseAlarmRate: 0.01,
    outOfSample: noModel,
    embedding: noModel,
    embeddingOf: noModel,
    ...more,
  });

/** How many of the planted samples are suspects, and how many others. */
function hits({ suspects }: Inspection, planted: ReadonlySet<string>) {
  const found = suspects.filter(({ id }) => planted.has(id)).length;
  return { recall: found / planted.size, falseAlarms: suspects.length - found };
}

describe('wrong labels', () => {
  const classes = 4;
  const n = 4000;
  /** Samples whose classes are known with some certainty, and labels drawn from that: honest, by construction. */
  const honest = () => {
    const stream = randomStream(2, 'honest');
    const posterior = new Float64Array(n * classes);
    const labels = new Uint32Array(n);
    for (let index = 0; index < n; index++) {
      const row = Array.from({ length: classes }, () => Math.exp(4 * stream.normal()));
      const sum = row.reduce((total, value) => total + value, 0);
      let draw = stream.uniform() * sum;
      row.forEach((value, c) => {
        posterior[index * classes + c] = value / sum;
        if (draw >= 0) labels[index] = c;
        draw -= value;
      });
    }
    return { posterior, labels };
  };
  const dataOf = (labels: Uint32Array): SuspectData => ({
    ids: Array.from(labels, (_, index) => `${index}`),
    inputs: new Float32Array(labels.length),
    minimum: new Float32Array(1),
    maximum: new Float32Array(1),
    labels,
    shape: [1],
    classes: ['a', 'b', 'c', 'd'],
  });

  it('are suspected of honest labellers at most at the false-alarm rate', async () => {
    const { posterior, labels } = honest();
    for (const falseAlarmRate of [0.01, 0.05]) {
      const found = await look('label-noise', dataOf(labels), {
        falseAlarmRate,
        outOfSample: async () => posterior,
      });
      expect(found.share).toBeLessThan(1.25 * falseAlarmRate);
      expect(found.status).toBe('clean');
    }
  });

  it('are counted, and traced to the classes that were mixed up, though models learned from them', () => {
    const { posterior, labels } = honest();
    const stream = randomStream(3, 'flips');
    // A third of class b is called c; models that learn this say so.
    const said = posterior.slice();
    for (let at = 0; at < said.length; at += classes) {
      said[at + 2]! += said[at + 1]! / 3;
      said[at + 1]! *= 2 / 3;
    }
    const flipped = labels.map((label) => (label === 1 && stream.uniform() < 1 / 3 ? 2 : label));
    const noise = noiseModel(said, flipped, classes);
    expect(noise.givenTrue[2 * classes + 1]).toBeGreaterThan(0.25);
    expect(noise.givenTrue[2 * classes + 1]).toBeLessThan(0.42);
    expect(noise.givenTrue[3 * classes + 1]).toBeLessThan(0.05);
    const clean = cleanPosterior(said, noise, classes);
    const error = (values: Float64Array): number =>
      values.reduce((sum, value, at) => sum + Math.abs(value - posterior[at]!), 0);
    expect(error(clean)).toBeLessThan(error(said) / 2);
  });
});

describe('tampered inputs', () => {
  it('that are noise are found among digits', async () => {
    const data = drawDigits(600, 6);
    const stream = randomStream(7, 'noise');
    data.inputs.subarray(0, 20 * 64).forEach((_, at) => {
      data.inputs[at] = stream.uniform();
    });
    const found = await look('outliers', data);
    expect(hits(found, new Set(data.ids.slice(0, 20))).recall).toBe(1);
    expect(found.status).toBe('suspicious');
  });

  it.each(['outliers', 'local-outliers', 'isolation-forest', 'near-duplicates'])(
    'are not seen by %s in 20 clean twins',
    async (name) => {
      let [flagged, doubted] = [0, 0];
      for (let twin = 0; twin < 20; twin++) {
        const found = await look(name, drawDigits(300, 100 + twin));
        flagged += found.suspects.length;
        if (found.status === 'suspicious') doubted += 1;
      }
      // Of 300 samples, thresholds are not exact.
      expect(doubted).toBeLessThanOrEqual(1);
      expect(flagged).toBeGreaterThan(0);
      expect(flagged / (20 * 300)).toBeLessThan(0.02);
    },
  );

  it('do not depend on the order of the samples', async () => {
    const data = drawDigits(200, 10);
    const turned: SuspectData = {
      ...data,
      ids: [...data.ids].reverse(),
      labels: data.labels.slice().reverse(),
      inputs: Float32Array.from(
        data.ids.flatMap((_, i) => [...data.inputs.subarray((199 - i) * 64, (200 - i) * 64)]),
      ),
    };
    const [one, other] = [await look('outliers', data), await look('outliers', turned)];
    expect(one.suspects.length).toBeGreaterThan(0);
    expect(new Set(other.suspects.map(({ id }) => id))).toEqual(new Set(one.suspects.map(({ id }) => id)));
  });
});
