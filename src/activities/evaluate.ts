import { Context } from '@temporalio/activity';
import { evaluateGate } from '../core/evaluation/index.js';
import type { Digest, GateSpec, Verdict } from '../core/spec/index.js';
import type { WorkerContext } from './context.js';
import { withHeartbeat } from './heartbeat.js';
import { withScratchFolder } from './scratch.js';
import { runStage, type StageResult } from './stage.js';

export interface EvaluateInput {
  readonly gate: GateSpec;
  readonly model: Digest;
  readonly snapshot: Digest;
}

/** Puts one model before one gate. */
export function createEvaluate({ store, scratch }: WorkerContext) {
  return async function evaluateModel(input: EvaluateInput): Promise<StageResult<Verdict>> {
    return runStage(store, 'evaluate', input, () =>
      withHeartbeat({ fraction: 0 }, (report) =>
        withScratchFolder(scratch, (workFolder) =>
          evaluateGate({
            store,
            ...input,
            workFolder,
            signal: Context.current().cancellationSignal,
            onProgress: (fraction) => report({ fraction }),
          }),
        ),
      ),
    );
  };
}
