import { ApplicationFailure, patched } from '@temporalio/workflow';
import type { EvaluateInput, ParentQuery, StageResult } from '../activities/index.js';
import type { Digest, Verdict } from '../core/spec/index.js';
import { admission, compute } from './stages.js';

type Shards = Parameters<typeof compute.mergeEvaluation>[0]['shards'];

/**
 * What an attacker of the model is likely to own. It is looked up once a run, since what is live may change meanwhile; null
 * where there is none, and for runs that began before anyone asked.
 */
export async function parentOf(query: ParentQuery): Promise<StageResult<Digest | null>> {
  return patched('parent-of-the-model')
    ? admission.findParent(query)
    : { kind: 'done', value: null, cached: true };
}

/** Runs that began before there were shards have their models evaluated in one piece, as their histories say. */
export function evaluator(): (input: EvaluateInput) => Promise<StageResult<Verdict>> {
  return patched('sharded-evaluation') ? evaluateInShards : (input) => compute.evaluateModel(input);
}

/** Plans shards, has them measured side by side, and joins them; wave after wave, until the gate has seen enough. */
async function evaluateInShards(input: EvaluateInput): Promise<StageResult<Verdict>> {
  const plan = await compute.planEvaluation(input);
  if (plan.kind === 'refused') return plan;
  let shards: Shards = [];
  let cached = true;
  for (const wave of plan.value) {
    const measured = await Promise.all(wave.map((block) => compute.evaluateShard({ ...input, block })));
    for (const shard of measured) {
      if (shard.kind === 'refused') return shard;
      cached &&= shard.cached;
      shards = [...shards, shard.value];
    }
    const merged = await compute.mergeEvaluation({ ...input, shards });
    if (merged.kind === 'refused') return merged;
    if (merged.value !== null) return { kind: 'done', value: merged.value, cached: cached && merged.cached };
  }
  throw ApplicationFailure.nonRetryable(`expected a verdict of ${shards.length} shards, got none`);
}
