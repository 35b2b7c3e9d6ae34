import path from 'node:path';
import { Context } from '@temporalio/activity';
import { ingest } from '../core/data/index.js';
import { errorTable } from '../core/errors/index.js';
import type { DataSpec, Digest, SnapshotRecord } from '../core/spec/index.js';
import type { WorkerContext } from './context.js';
import { withHeartbeat } from './heartbeat.js';
import { withScratchFolder } from './scratch.js';
import { runStage, type StageResult } from './stage.js';

export interface IngestInput {
  readonly source: Digest;
  readonly data: DataSpec;
}

/** Validates the source and freezes what it holds, or refuses it with a report of every problem. */
export function createIngest({ store, scratch }: WorkerContext) {
  return async function ingestSource(input: IngestInput): Promise<StageResult<SnapshotRecord>> {
    // Where the file lay on somebody's disk does not change what is in it; its ending says how to read it.
    const { source: _file, ...data } = { format: path.extname(input.data.source), ...input.data };
    const result = await runStage(store, 'ingest', { source: input.source, data }, () =>
      withHeartbeat({ fraction: 0 }, (report) =>
        withScratchFolder(scratch, (workFolder) =>
          ingest({
            store,
            source: input.source,
            data: input.data,
            workFolder,
            signal: Context.current().cancellationSignal,
            onProgress: (fraction) => report({ fraction }),
          }),
        ),
      ),
    );
    if (result.kind === 'refused') return result;
    const outcome = result.value;
    if (outcome.kind === 'accepted') return { ...result, value: outcome.record };
    return {
      kind: 'refused',
      code: 'data-refused',
      reasons: outcome.summary,
      hint: errorTable['data-refused'].hint,
      evidence: [outcome.report],
    };
  };
}
