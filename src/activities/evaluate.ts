import { Context } from '@temporalio/activity';
import { z } from 'zod';
import {
  type Block,
  evaluateGate,
  measureShard,
  mergeShards,
  planShards,
  type StoredShard,
  storedShardSchema,
} from '../core/evaluation/index.js';
import { executionEnvironment } from '../core/onnx/index.js';
import {
  attacksThroughParent,
  type Digest,
  type GateSpec,
  gateName,
  type Verdict,
  verdictSchema,
} from '../core/spec/index.js';
import type { WorkerContext } from './context.js';
import { lastHeartbeat } from './heartbeat.js';
import { withScratchFolder } from './scratch.js';
import { runOnce, runStage, type Stage, type StageResult } from './stage.js';

export interface EvaluateInput {
  readonly gate: GateSpec;
  readonly model: Digest;
  readonly snapshot: Digest;
  /** Blob of the parent's ONNX file; it counts for gates that attack through it. */
  readonly parent?: Digest;
}

export interface EvaluateShardInput extends EvaluateInput {
  /** The samples to measure, by their places in the draw. */
  readonly block: Block;
}

export interface MergeInput extends EvaluateInput {
  readonly shards: readonly StoredShard[];
}

/** Puts one model before one gate, in shards that any workers measure, or all at once. */
export function createEvaluate({ store, scratch }: WorkerContext) {
  // Another runtime rounds otherwise, and a verdict near its threshold may turn on that.
  const { runtimeVersion } = executionEnvironment();
  const verdictOf = ({ gate }: EvaluateInput) =>
    verdictSchema.refine((verdict) => verdict.gate === gateName(gate), 'of another gate');

  return {
    /** Cuts the gate's samples into blocks: waves of them, one after the other. */
    async planEvaluation(input: EvaluateInput): Promise<StageResult<readonly (readonly Block[])[]>> {
      return runOnce(() => planShards(store, input));
    },

    async evaluateShard(order: EvaluateShardInput): Promise<StageResult<StoredShard>> {
      const input = relevant(order);
      const { from, to } = input.block;
      const stage: Stage<StoredShard> = {
        name: 'evaluate-shard',
        version: 6,
        outcome: storedShardSchema.refine(
          ({ block }) => block.from === from && block.to === to,
          'of another block',
        ),
      };
      return runStage(store, stage, { ...input, runtimeVersion }, (report) => {
        const resumeFrom = lastHeartbeat()?.checkpoint;
        let fraction = 0;
        return withScratchFolder(scratch, (workFolder) =>
          measureShard({
            store,
            ...input,
            workFolder,
            ...(resumeFrom && { resumeFrom }),
            signal: Context.current().cancellationSignal,
            onProgress: (sofar) => {
              fraction = sofar;
              report({ fraction });
            },
            onResumePoint: (checkpoint) => report({ fraction, checkpoint }),
          }),
        );
      });
    },

    /** Joins the shards into evidence and decides; null where more of them are needed. */
    async mergeEvaluation(order: MergeInput): Promise<StageResult<Verdict | null>> {
      const { shards, ...input } = relevant(order);
      const stage: Stage<Verdict | null> = {
        name: 'merge-evaluation',
        version: 5,
        outcome: z.nullable(verdictOf(input)),
      };
      return runStage(
        store,
        stage,
        { ...input, shards },
        async () => (await mergeShards(store, input, shards)) ?? null,
      );
    },

    /** All in one, as runs asked for it that began before there were shards. */
    async evaluateModel(order: EvaluateInput): Promise<StageResult<Verdict>> {
      const input = relevant(order);
      const stage: Stage<Verdict> = { name: 'evaluate', version: 7, outcome: verdictOf(input) };
      return runStage(store, stage, { ...input, runtimeVersion }, (report) =>
        withScratchFolder(scratch, (workFolder) =>
          evaluateGate({
            store,
            ...input,
            workFolder,
            signal: Context.current().cancellationSignal,
            onProgress: (fraction) => report({ fraction }),
          }),
        ),
      );
    },
  };
}

/** Without a parent that the gate does not look at: what is measured does not depend on it, and neither may the key. */
function relevant<Input extends EvaluateInput>(input: Input): Input {
  if (attacksThroughParent(input.gate)) return input;
  const { parent: _, ...rest } = input;
  return rest as Input;
}
