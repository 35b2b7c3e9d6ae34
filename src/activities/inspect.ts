import path from 'node:path';
import { Context } from '@temporalio/activity';
import { z } from 'zod';
import { RefusedError } from '../core/errors/index.js';
import { inspectSnapshot, suspicions } from '../core/poisoning/index.js';
import { type Digest, digestSchema, type InspectionSpec } from '../core/spec/index.js';
import { canonicalJson } from '../core/store/index.js';
import type { WorkerContext } from './context.js';
import { withScratchFolder } from './scratch.js';
import { refusedBy, runStage, type Stage, type StageRefusal } from './stage.js';

interface Inspected {
  /** Blob of what every detector found. */
  readonly report: Digest;
  readonly suspicions: readonly string[];
}

/** Looks for tampering in the training rows of a snapshot. @returns a refusal where there is reason for one */
export async function inspectFor(
  { store, scratch }: WorkerContext,
  snapshot: Digest,
  inspection: InspectionSpec,
): Promise<StageRefusal | undefined> {
  const stage: Stage<Inspected> = {
    name: 'inspect',
    version: 1,
    outcome: z.strictObject({ report: digestSchema, suspicions: z.array(z.string()) }),
  };
  const result = await runStage(store, stage, { snapshot, inspection }, () =>
    withScratchFolder(scratch, async (workFolder) => {
      const folder = path.join(workFolder, 'snapshot');
      await store.fetchTree(snapshot, folder);
      const inspections = await inspectSnapshot(folder, inspection, Context.current().cancellationSignal);
      const report = { kind: 'assay-inspection-report', version: 1, snapshot, inspection, inspections };
      return {
        report: await store.putBlob(Buffer.from(canonicalJson(report))),
        suspicions: suspicions(inspections, inspection.falseAlarmRate),
      };
    }),
  );
  if (result.kind === 'refused') return result;
  const { suspicions: found, report } = result.value;
  if (found.length === 0) return undefined;
  return refusedBy(
    new RefusedError('data-refused', 'expected data that nobody tampered with, got suspects', found),
    [report],
  );
}
