import type { Digest } from '../../spec/index.js';
import { checkData } from './data.js';
import type { Evidence } from './evidence.js';
import type { Inspection } from './inspection.js';
import { type ReadModel, readModel } from './model.js';
import { checkProvenance } from './provenance.js';
import { checkSignature } from './signature.js';
import { checkTests } from './tests.js';

/** Links 2 to 6: the model's bytes and every statement that a summary rests on. */
export async function checkEvidence(
  inspection: Inspection,
  evidence: Evidence,
): Promise<{ readonly model: ReadModel | undefined; readonly gates: Digest | undefined }> {
  const model = await readModel(inspection, evidence.model);
  await checkSignature(inspection, evidence, model);
  const provenance = await checkProvenance(inspection, evidence, model?.card);
  const testRows = await checkData(inspection, evidence, model?.card);
  const gates = await checkTests(inspection, evidence, { card: model?.card, rows: testRows, ...provenance });
  return { model, gates };
}
