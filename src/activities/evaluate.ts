import { Context } from '@temporalio/activity';
import { evaluateGate } from '../core/evaluation/index.js';
import { executionEnvironment } from '../core/onnx/index.js';
import { type Digest, type GateSpec, gateName, type Verdict, verdictSchema } from '../core/spec/index.js';
import type { WorkerContext } from './context.js';
import { withScratchFolder } from './scratch.js';
import { runStage, type Stage, type StageResult } from './stage.js';

export interface EvaluateInput {
  readonly gate: GateSpec;
  readonly model: Digest;
  readonly snapshot: Digest;
}

/** Puts one model before one gate. */
export function createEvaluate({ store, scratch }: WorkerContext) {
  return async function evaluateModel(input: EvaluateInput): Promise<StageResult<Verdict>> {
    const stage: Stage<Verdict> = {
      name: 'evaluate',
      version: 1,
      outcome: verdictSchema.refine(({ gate }) => gate === gateName(input.gate), 'of another gate'),
    };
    // Another runtime rounds otherwise, and a verdict near its threshold may turn on that.
    const { runtimeVersion } = executionEnvironment();
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
  };
}
