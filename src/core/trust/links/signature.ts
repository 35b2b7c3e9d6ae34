import { identityOf } from '../envelope.js';
import { verifyModelSignature } from '../model-signature.js';
import type { Evidence } from './evidence.js';
import { attempt, expectNotRevoked, type Inspection, readBytes } from './inspection.js';
import type { ReadModel } from './model.js';

/** Link 3: the model's maker signed exactly these files under exactly this name. */
export async function checkSignature(
  inspection: Inspection,
  { endpoint, chain }: Evidence,
  model: ReadModel | undefined,
): Promise<void> {
  await attempt(inspection, 'signature', async () => {
    const bundle = await readBytes(inspection.store, chain.signature);
    expectNotRevoked(inspection, 'signature', chain.signature);
    // Without its card a model has no name: that failure is reported, and there is nothing to compare.
    if (!model?.card) return;
    const folder = { name: model.card.name, files: model.files };
    const signer = verifyModelSignature(bundle, inspection.policy, folder, inspection.now, endpoint);
    inspection.signers.add(identityOf(signer));
  });
}
