import fc from 'fast-check';
import { voteCertificate } from '../../../../../src/core/certification/index.js';
import type { Dataset } from '../../../../../src/core/data/index.js';
import { requireSafeModel } from '../../../../../src/core/onnx/index.js';
import { permutation, randomStream } from '../../../../../src/core/random/index.js';
import { decodeCheckpoint, encodeCheckpoint } from '../../../../../src/core/training/built-in/checkpoint.js';
import { assignPartitions } from '../../../../../src/core/training/built-in/partitions/assign-partitions.js';
import { digitsProblem } from '../digits-problem.js';
import { smallProblem } from '../small-problem.js';
import { answersOfFile, trainVoters, type VotersProblem, votersOfTheta, votersProblem } from './voters.js';

const COUNT = 25;
const problem = votersProblem(
  digitsProblem(
    {
      network: { kind: 'linear' },
      epochs: 20,
      batchSize: 16,
      learningRate: 0.02,
      partitions: { count: COUNT, seed: 3 },
    },
    { train: 400, validation: 120 },
  ),
);
const SIZE = 64;
const partitionsOf = (train: Dataset) => assignPartitions(train, problem.parameters.partitions!);

interface Sample {
  readonly values: Float32Array;
  readonly label: number;
}
const samplesOf = ({ inputs, labels }: Dataset): Sample[] =>
  Array.from(labels, (label, i) => ({ values: inputs.slice(i * SIZE, (i + 1) * SIZE), label }));
/** Named by their places, as rows of a file are. */
const datasetOf = (samples: readonly Sample[]): Dataset => ({
  ids: samples.map((_, row) => `row-${row}`),
  inputs: Float32Array.from(samples.flatMap(({ values }) => Array.from(values))),
  labels: Uint32Array.from(samples, ({ label }) => label),
});
const differing = (one: readonly unknown[], other: readonly unknown[]): number[] =>
  [...one.keys()].filter((i) => JSON.stringify(one[i]) !== JSON.stringify(other[i]));

describe('partitions', () => {
  const clean = samplesOf(problem.train);
  const before = partitionsOf(datasetOf(clean));

  it('hold every sample once', () => {
    const key = ({ values, label }: Sample) => `${values.join()} ${label}`;
    expect(before.flatMap(samplesOf).map(key).sort()).toEqual(clean.map(key).sort());
    expect(Math.min(...before.map(({ ids }) => ids.length))).toBeGreaterThan(0);
    expect(new Set(before.flatMap(({ ids }) => ids)).size).toBe(clean.length);
  });

  it('do not depend on the order of samples or on their ids', () => {
    const order = permutation(randomStream(1, 'order'), clean.length);
    expect(partitionsOf(datasetOf(Array.from(order, (i) => clean[i]!)))).toEqual(before);
  });

  it('change one for each sample that is added, taken away or relabelled, and no other', () => {
    const edit = fc.record({
      kind: fc.constantFrom('add', 'remove', 'relabel', 'copy'),
      at: fc.nat(clean.length - 1),
      value: fc.integer({ min: 0, max: 16 }),
      label: fc.nat(9),
    });
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
        const samples = [...clean];
        for (const { kind, at, value, label } of edits) {
          const place = at % samples.length;
          const chosen = samples[place]!;
          if (kind === 'remove') samples.splice(place, 1);
          else if (kind === 'relabel') samples[place] = { ...chosen, label };
          else if (kind === 'copy') samples.splice(0, 0, { ...chosen, label });
          else
            samples.splice(place, 0, {
              values: chosen.values.map((v, i) => (i === at % SIZE ? value / 16 : v)),
              label,
            });
        }
        const after = partitionsOf(datasetOf(samples));
        const content = (parts: readonly Dataset[]) =>
          parts.map(({ ids, inputs, labels }) => [ids, Array.from(inputs), Array.from(labels)]);
        expect(differing(content(before), content(after)).length).toBeLessThanOrEqual(edits.length);
      }),
      { numRuns: 25 },
    );
  });
});

describe('voters', () => {
  it('continued from any checkpoint end in the same bytes', async () => {
    const kept: Uint8Array[] = [];
    const training = new Uint8Array(32);
    const whole = await trainVoters(problem, async ({ state }) => {
      // In the middle of a voter, at the end of one, and near the end.
      if ([5, 20, 333, 499].includes(state.done)) kept.push(encodeCheckpoint(state, training));
    });
    expect(kept).toHaveLength(4);
    for (const bytes of kept) {
      const state = decodeCheckpoint(bytes, training, problem.network.count);
      let steps = 0;
      const resumed = await trainVoters(problem, async () => void steps++, state);
      expect(steps).toBeLessThan(whole.metrics.epochs! * 2 * COUNT - state.done + 1);
      expect(resumed.metrics).toEqual(whole.metrics);
      expect(resumed.theta.join()).toBe(whole.theta.join());
    }
  });

  it.each([
    ['linear', { kind: 'linear' }],
    ['mlp', { kind: 'mlp', hidden: [7, 5] }],
    ['cnn', { kind: 'cnn', channels: [3, 4], pool: [false, true], stride: [1, 1], hidden: [6] }],
  ])(
    'of kind %s count as each alone would choose, in one file that the scanner accepts',
    async (_, network) => {
      const small = votersProblem(
        smallProblem({ network: network as never, partitions: { count: 4, seed: 1 } }),
      );
      const { theta } = await trainVoters(small);
      const { base, shape, encode } = small.network;
      requireSafeModel(encode(theta));
      const votes = await answersOfFile(encode(theta), small.train, shape);
      const expected = votes.map((row) => row.map(() => 0));
      for (let voter = 0; voter < 4; voter++) {
        const alone = base.encode(theta.slice(voter * base.count, (voter + 1) * base.count));
        for (const [i, row] of (await answersOfFile(alone, small.train, shape)).entries())
          expected[i]![row.indexOf(Math.max(...row))]! += 1;
      }
      expect(votes).toEqual(expected);
      expect(new Set(votes.map((row) => row.join())).size).toBeGreaterThan(1);
    },
  );

  it('vote for the first of classes that they find equal', async () => {
    const { network, train } = problem;
    const [votes] = await answersOfFile(
      network.encode(new Float32Array(network.count)),
      train,
      network.shape,
    );
    expect(votes).toEqual([COUNT, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  });

  it('without samples stay as they began', async () => {
    const many = votersProblem(
      smallProblem({ network: { kind: 'linear' }, partitions: { count: 60, seed: 1 } }),
    );
    const { theta, metrics } = await trainVoters(many);
    expect(metrics.smallestPartition).toBe(0);
    const [first, last] = [many.network.initial(many.seed), theta].map((all) => votersOfTheta(many, all));
    const sizes = assignPartitions(many.train, many.parameters.partitions!).map(({ ids }) => ids.length);
    expect(sizes.map((size) => size > 0)).toEqual(first!.map((voter, i) => voter !== last![i]));
  });
});

describe('an attacker who poisons training samples', () => {
  const { train, validation, network } = problem;
  const retrain = async (samples: readonly Sample[]) => {
    const poisoned: VotersProblem = { ...problem, train: datasetOf(samples) };
    const { theta } = await trainVoters(poisoned);
    return {
      voters: votersOfTheta(problem, theta),
      votes: await answersOfFile(network.encode(theta), validation, network.shape),
    };
  };
  let clean: Awaited<ReturnType<typeof retrain>>;
  beforeAll(async () => {
    clean = await retrain(samplesOf(train));
  });

  /** Near copies of a sample under another label, each in a partition of its own: as much as so many samples can do. */
  function nearCopies(target: Sample, label: number, count: number): Sample[] {
    const taken = new Set<number>();
    const found: Sample[] = [];
    for (let tried = 0; found.length < count; tried++) {
      const values = target.values.map((v, i) =>
        i === tried % SIZE ? Math.abs(v - (1 + (tried >> 6)) / 64) : v,
      );
      const copy = { values, label };
      const where = partitionsOf(datasetOf([copy])).findIndex(({ ids }) => ids.length > 0);
      if (taken.has(where)) continue;
      taken.add(where);
      found.push(copy);
    }
    return found;
  }

  it('changes no prediction within its certificate, and with a few samples more the one that is attacked', async () => {
    const certificates = clean.votes.map((votes) => voteCertificate(votes));
    const targets = [...certificates.keys()].filter((i) => certificates[i]!.radius === 4).slice(0, 3);
    expect(targets).toHaveLength(3);
    let flipped = 0;
    for (const target of targets) {
      const votes = clean.votes[target]!;
      const { predicted } = certificates[target]!;
      const rival = votes.indexOf(Math.max(...votes.filter((_, c) => c !== predicted)));
      const sample = samplesOf(validation)[target]!;
      for (const budget of [4, 12]) {
        const poison = nearCopies(sample, rival, budget);
        const attacked = await retrain([...poison, ...samplesOf(train)]);
        expect(differing(clean.voters, attacked.voters).length).toBe(budget);
        attacked.votes.forEach((after, i) => {
          const { predicted: kept, radius } = certificates[i]!;
          if (radius >= budget) expect(voteCertificate(after).predicted).toBe(kept);
        });
        if (budget > 4) flipped += Number(voteCertificate(attacked.votes[target]!).predicted !== predicted);
      }
    }
    // Else it was no attack, and that certificates held would say nothing.
    expect(flipped).toBeGreaterThan(0);
  });

  it('gains no more by taking samples away and relabelling others', async () => {
    const samples = samplesOf(train);
    const attacked = await retrain(
      samples.slice(3).map((sample, i) => (i < 4 ? { ...sample, label: (sample.label + 1) % 10 } : sample)),
    );
    const changed = differing(clean.voters, attacked.voters).length;
    expect(changed).toBeGreaterThan(0);
    expect(changed).toBeLessThanOrEqual(7);
    clean.votes.forEach((votes, i) => {
      const { predicted, radius } = voteCertificate(votes);
      if (radius >= 7) expect(voteCertificate(attacked.votes[i]!).predicted).toBe(predicted);
    });
  });
});
