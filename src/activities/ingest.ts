import path from 'node:path';
import { Context } from '@temporalio/activity';
import { z } from 'zod';
import { type IngestResult, ingest } from '../core/data/index.js';
import { RefusedError } from '../core/errors/index.js';
import {
  type DataSpec,
  type Digest,
  digestSchema,
  type SnapshotRecord,
  snapshotRecordSchema,
} from '../core/spec/index.js';
import type { WorkerContext } from './context.js';
import { withScratchFolder } from './scratch.js';
import { refusedBy, runStage, type Stage, type StageResult } from './stage.js';

export interface IngestInput {
  readonly source: Digest;
  readonly data: DataSpec;
}

const outcomeSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('accepted'), record: snapshotRecordSchema }),
  z.strictObject({
    kind: z.literal('refused'),
    report: digestSchema,
    problems: z.int().min(1),
    summary: z.array(z.string()).min(1),
  }),
]);

/** Validates the source and freezes what it holds, or refuses it with a report of every problem. */
export function createIngest({ store, scratch }: WorkerContext) {
  return async function ingestSource(input: IngestInput): Promise<StageResult<SnapshotRecord>> {
    // Where the file lay on somebody's disk does not change what is in it; its ending says how to read it.
    const { source: _file, ...data } = { format: path.extname(input.data.source), ...input.data };
    const stage: Stage<IngestResult> = {
      name: 'ingest',
      version: 1,
      outcome: outcomeSchema.refine(
        (outcome) => outcome.kind === 'refused' || outcome.record.source === input.source,
        'of another source',
      ),
    };
    const result = await runStage(store, stage, { source: input.source, data }, (report) =>
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
    );
    if (result.kind === 'refused') return result;
    const outcome = result.value;
    if (outcome.kind === 'accepted') return { ...result, value: outcome.record };
    const [first = '', ...rest] = outcome.summary;
    return refusedBy(new RefusedError('data-refused', first, rest), [outcome.report]);
  };
}
