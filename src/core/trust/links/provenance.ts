import type { Digest, ModelCard } from '../../spec/index.js';
import { canonicalJson } from '../../store/index.js';
import { digestNamed } from '../statements/predicate.js';
import { provenancePredicate } from '../statements/provenance.js';
import type { Evidence } from './evidence.js';
import { expect, type Inspection, openLink } from './inspection.js';
import { expectNoRevocation } from './revocation.js';

/**
 * Link 4: this model, and no other, came out of a training on the snapshot and with the parameters of its card.
 *
 * @returns blob of the model that it was fine-tuned from, if any
 */
export async function checkProvenance(
  inspection: Inspection,
  { endpoint, model, chain }: Evidence,
  card: ModelCard | undefined,
): Promise<Digest | undefined> {
  const about = { endpoint, subject: model };
  const opened = await openLink(inspection, 'provenance', provenancePredicate, chain.provenance, about);
  if (!opened) return undefined;
  const { externalParameters, resolvedDependencies } = opened.predicate.buildDefinition;
  expect(
    inspection,
    'provenance',
    digestNamed(resolvedDependencies, 'environment') !== undefined,
    'materials-mismatch',
    'expected one environment among the materials, got none or several',
  );
  const parent = digestNamed(resolvedDependencies, 'parent');
  if (parent) await expectNoRevocation(inspection, 'provenance', endpoint, parent);
  if (!card) return parent;
  const snapshot = digestNamed(resolvedDependencies, 'snapshot');
  expect(
    inspection,
    'provenance',
    snapshot === card.snapshot,
    'materials-mismatch',
    `expected snapshot ${card.snapshot} of the model card among the materials, got ${snapshot ?? 'none or several'}`,
  );
  const { name, training } = externalParameters;
  const said = canonicalJson({ name, seed: training.seed, parameters: training.parameters });
  const carded = canonicalJson({
    name: card.name,
    seed: card.training.seed,
    parameters: card.training.parameters,
  });
  expect(
    inspection,
    'provenance',
    said === carded,
    'card-mismatch',
    `expected the training of the model card, ${carded}, got ${said}`,
  );
  return parent;
}
