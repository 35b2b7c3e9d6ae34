import type { Verdict } from '../spec/index.js';
import { mergeShards } from './merge-shards.js';
import type { OpenSubjectOptions } from './open-subject.js';
import { planShards } from './plan-shards.js';
import { measureShard, type StoredShard } from './shard.js';

export interface EvaluateGateOptions extends OpenSubjectOptions {
  /** How many shards to cut the samples into; the result does not depend on it. Default: as many as the gate's work asks for. */
  readonly shards?: number;
}

/**
 * Puts a model before a gate: measures it on test samples of the snapshot, stores the evidence and decides. Equal inputs
 * on equal machines give equal evidence, byte for byte, after any number of interruptions.
 *
 * @throws RefusedError `model-unreadable` when the model does not fit its card or the snapshot; the abort reason when
 * `signal` fires
 */
export async function evaluateGate(options: EvaluateGateOptions): Promise<Verdict> {
  const { store, onProgress } = options;
  const blocks = (await planShards(store, options, options.shards)).flat();
  const shards: StoredShard[] = [];
  for (const [i, block] of blocks.entries()) {
    const progress = (fraction: number) => onProgress((i + fraction) / blocks.length);
    shards.push(await measureShard({ ...options, block, onProgress: progress }));
    const verdict = await mergeShards(store, options, shards);
    if (verdict !== undefined) return verdict;
  }
  throw new Error(`expected a verdict of ${blocks.length} shards, got none`);
}
