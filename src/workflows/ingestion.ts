import { patched } from '@temporalio/workflow';
import type { IngestInput, StageResult } from '../activities/index.js';
import type { SnapshotRecord } from '../core/spec/index.js';
import type { LifecycleInput } from './contract.js';
import { admission, compute } from './stages.js';

/** Freezes the source, with the rows that people let in; one that was revoked is not read at all. */
export async function ingestData({
  lifecycle: { data, release },
  source,
  files,
}: LifecycleInput): Promise<StageResult<SnapshotRecord>> {
  const input: IngestInput = { source, data, ...(files && { files }) };
  if (!patched('data-decisions')) return compute.ingestSource(input);
  const decided = await admission.readDataDecisions({ source, endpoint: release.endpoint });
  if (decided.kind === 'refused') return decided;
  return compute.ingestSource({ ...input, ...(decided.value.length > 0 && { releases: decided.value }) });
}
