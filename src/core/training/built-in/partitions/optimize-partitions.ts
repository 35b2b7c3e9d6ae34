import type { Dataset } from '../../../data/index.js';
import { openSession } from '../../../onnx/index.js';
import { accuracyOf, answersOf } from '../accuracy.js';
import type { TrainingState } from '../checkpoint.js';
import { logitsModel } from '../graphs.js';
import { type Optimized, optimize, type Position } from '../optimize.js';
import type { Problem } from '../problem.js';
import { assignPartitions } from './assign-partitions.js';
import { seedOfVoter, type VotingNetwork } from './voting-network.js';

/** A voter judges nothing by samples that others see too. */
const nothing: Dataset = { ids: [], inputs: new Float32Array(0), labels: new Uint32Array(0) };

/**
 * Deep partition aggregation: trains one network a partition, each as if there were no other, to vote.
 *
 * A voter is a function of the parameters, the seed, its number and its partition. Nothing else of the data reaches it: inputs are
 * scaled by ranges that the lifecycle declares, not by statistics; there are no validation samples; early stopping, which would
 * share them, is refused with the parameters. So whoever adds, takes away or relabels r training samples changes r voters at most,
 * which is what certificates count. What is trusted: the parameters, and how a source becomes the training split. A training that
 * diverges is refused as a whole: poison may stop a training, and not steer it.
 *
 * The state of the training is that of all voters, one after the other; voters are trained in order, and a training continued
 * from any of its states ends in the same bytes, as of {@link optimize}.
 *
 * Source: Levine, Feizi, "Deep partition aggregation: provable defenses against general poisoning attacks", ICLR 2021.
 *
 * @throws RefusedError `training-refused` when a voter diverges
 */
export async function optimizePartitions(
  problem: Problem & { readonly network: VotingNetwork },
  start: TrainingState,
  onStep: (position: Position) => Promise<void>,
): Promise<Optimized> {
  const { network, train, validation, parameters, seed } = problem;
  const { base, voters } = network;
  const partitions = assignPartitions(train, parameters.partitions!);
  const steps = partitions.map(
    ({ labels }) => parameters.epochs * Math.ceil(labels.length / parameters.batchSize),
  );
  const total = steps.reduce((sum, count) => sum + count, 0);
  const all = {
    theta: start.theta.slice(),
    firstMoment: start.firstMoment.slice(),
    secondMoment: start.secondMoment.slice(),
  };
  const session = await openSession(logitsModel(network), { place: 'inline' });
  try {
    const accuracy = (samples: Dataset): Promise<number> =>
      accuracyOf(samples, network.classes, answersOf(session, network, all.theta));
    let before = 0;
    for (const [voter, partition] of partitions.entries()) {
      const offset = before;
      const from = voter * base.count;
      const done = Math.min(steps[voter]!, Math.max(0, start.done - offset));
      before += steps[voter]!;
      if (done === steps[voter]) continue;
      const keep = ({ theta, firstMoment, secondMoment }: TrainingState): void => {
        all.theta.set(theta, from);
        all.firstMoment.set(firstMoment, from);
        all.secondMoment.set(secondMoment, from);
      };
      const own = (values: Float32Array): Float32Array => values.slice(from, from + base.count);
      const problemOfVoter = {
        ...problem,
        network: base,
        train: partition,
        validation: nothing,
        seed: seedOfVoter(seed, voter),
      };
      const startOfVoter = {
        done,
        lossSum: start.lossSum,
        theta: own(all.theta),
        firstMoment: own(all.firstMoment),
        secondMoment: own(all.secondMoment),
      };
      await optimize(problemOfVoter, startOfVoter, async ({ state, loss }) => {
        keep(state);
        const last = offset + state.done === total;
        await onStep({
          // Made when it is looked at: most steps are not.
          get state() {
            return {
              done: offset + state.done,
              lossSum: state.lossSum,
              theta: all.theta.slice(),
              firstMoment: all.firstMoment.slice(),
              secondMoment: all.secondMoment.slice(),
            };
          },
          total,
          last,
          loss,
          endsEpoch: last,
          validationAccuracy: () => accuracy(validation),
        });
      });
    }
    const sizes = partitions.map(({ labels }) => labels.length);
    return {
      theta: all.theta,
      metrics: {
        epochs: parameters.epochs,
        parameters: all.theta.length,
        partitions: voters,
        smallestPartition: Math.min(...sizes),
        largestPartition: Math.max(...sizes),
        trainAccuracy: await accuracy(train),
        validationAccuracy: await accuracy(validation),
      },
    };
  } finally {
    await session.close();
  }
}
