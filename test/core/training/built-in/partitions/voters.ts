import type { Dataset } from '../../../../../src/core/data/index.js';
import { floatTensor, openSession } from '../../../../../src/core/onnx/index.js';
import type { Optimized, Position } from '../../../../../src/core/training/built-in/optimize.js';
import { optimizePartitions } from '../../../../../src/core/training/built-in/partitions/optimize-partitions.js';
import {
  type VotingNetwork,
  votingNetwork,
} from '../../../../../src/core/training/built-in/partitions/voting-network.js';
import type { Problem } from '../../../../../src/core/training/built-in/problem.js';
import { startOf } from '../small-problem.js';

export type VotersProblem = Problem & { readonly network: VotingNetwork };

export function votersProblem(problem: Problem): VotersProblem {
  return { ...problem, network: votingNetwork(problem.network, problem.parameters.partitions!.count) };
}

export function trainVoters(
  problem: VotersProblem,
  onStep: (position: Position) => Promise<void> = async () => undefined,
  start = startOf(problem),
): Promise<Optimized> {
  return optimizePartitions(problem, start, onStep);
}

/** Weights of each voter, as text to compare. */
export function votersOfTheta({ network }: VotersProblem, theta: Float32Array): readonly string[] {
  const { count } = network.base;
  return Array.from({ length: network.voters }, (_, i) => theta.slice(i * count, (i + 1) * count).join());
}

/** Answers of a model file, one row of logits or votes a sample. */
export async function answersOfFile(onnx: Uint8Array, { inputs, labels }: Dataset, shape: readonly number[]) {
  const session = await openSession(onnx, { place: 'inline' });
  const feeds = { input: floatTensor([labels.length, ...shape], inputs) };
  const { data, dims } = (await session.run(feeds)).logits!;
  await session.close();
  return Array.from(labels, (_, i) =>
    Array.from(data as Float32Array).slice(i * dims[1]!, (i + 1) * dims[1]!),
  );
}
