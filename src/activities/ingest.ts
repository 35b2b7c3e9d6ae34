import path from 'node:path';
import { Context } from '@temporalio/activity';
import { z } from 'zod';
import { type FileDigests, type IngestResult, ingest, type RowRelease } from '../core/data/index.js';
import { RefusedError } from '../core/errors/index.js';
import {
  type DataSpec,
  type Digest,
  digestSchema,
  type SnapshotRecord,
  snapshotRecordSchema,
} from '../core/spec/index.js';
import type { WorkerContext } from './context.js';
import { inspectFor } from './inspect.js';
import { withScratchFolder } from './scratch.js';
import { refusedBy, runStage, type Stage, type StageResult } from './stage.js';

export interface IngestInput {
  readonly source: Digest;
  readonly data: DataSpec;
  /** Blobs of the other files that the data block names, by their paths in it. */
  readonly files?: FileDigests;
  /** Rows that people let in; that they may is checked before the data statement counts. */
  readonly releases?: readonly RowRelease[];
}

const outcomeSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('accepted'), record: snapshotRecordSchema }),
  z.strictObject({
    kind: z.literal('refused'),
    report: digestSchema,
    problems: z.int().min(1),
    summary: z.array(z.string()).min(1),
    inconclusive: z.boolean(),
    quarantine: digestSchema.optional(),
  }),
]);

/** Validates the source and freezes what it holds, or refuses it with a report of every problem. */
export function createIngest(context: WorkerContext) {
  const { store, scratch } = context;
  return async function ingestSource(input: IngestInput): Promise<StageResult<SnapshotRecord>> {
    // Where the file lay on somebody's disk does not change what is in it; its ending says how to read it.
    const { source: _file, ...data } = { format: path.extname(input.data.source), ...input.data };
    const stage: Stage<IngestResult> = {
      name: 'ingest',
      version: 2,
      outcome: outcomeSchema.refine(
        (outcome) => outcome.kind === 'refused' || outcome.record.source === input.source,
        'of another source',
      ),
    };
    const asOf = startOfHour(new Date());
    const aged = data.checks?.some(({ check }) => check === 'freshness');
    const inputs = {
      source: input.source,
      data,
      ...(input.files && { files: input.files }),
      ...(input.releases && { releases: input.releases }),
      // Data grows old: what is asked again in another hour is another question.
      ...(aged && { asOf: asOf.toISOString() }),
    };
    const result = await runStage(store, stage, inputs, (report) =>
      withScratchFolder(scratch, (workFolder) =>
        ingest({
          store,
          source: input.source,
          data: input.data,
          ...(input.files && { files: input.files }),
          ...(input.releases && { releases: input.releases }),
          asOf,
          workFolder,
          signal: Context.current().cancellationSignal,
          onProgress: (fraction) => report({ fraction }),
        }),
      ),
    );
    if (result.kind === 'refused') return result;
    const outcome = result.value;
    if (outcome.kind === 'accepted') {
      const { inspect } = input.data;
      const refusal = inspect && (await inspectFor(context, outcome.record.snapshot, inspect));
      return refusal ?? { ...result, value: outcome.record };
    }
    const [first = '', ...rest] = outcome.summary;
    const code = outcome.inconclusive ? 'data-inconclusive' : 'data-refused';
    const evidence = [outcome.report, ...(outcome.quarantine ? [outcome.quarantine] : [])];
    return refusedBy(new RefusedError(code, first, rest), evidence);
  };
}

function startOfHour(time: Date): Date {
  return new Date(Math.floor(time.getTime() / 3_600_000) * 3_600_000);
}
