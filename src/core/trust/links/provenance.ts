import type { Digest, ModelCard, TrainingSpec } from '../../spec/index.js';
import { canonicalJson } from '../../store/index.js';
import { digestNamed } from '../statements/predicate.js';
import { provenancePredicate } from '../statements/provenance.js';
import type { Evidence } from './evidence.js';
import { expect, type Inspection, openLink } from './inspection.js';
import { expectNoRevocation } from './revocation.js';

/** What a provenance says of how a model came to be. */
export interface ReadProvenance {
  /** Blob of the model that it was fine-tuned from, if any. */
  readonly parent?: Digest | undefined;
  readonly training?: TrainingSpec;
}

/** Link 4: this model, and no other, came out of a training on the snapshot and with the trainer and parameters of its card. */
export async function checkProvenance(
  inspection: Inspection,
  { endpoint, model, chain }: Evidence,
  card: ModelCard | undefined,
): Promise<ReadProvenance> {
  const about = { endpoint, subject: model };
  const opened = await openLink(inspection, 'provenance', provenancePredicate, chain.provenance, about);
  if (!opened) return {};
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
  const { name, training } = externalParameters;
  if (!card) return { parent, training };
  const snapshot = digestNamed(resolvedDependencies, 'snapshot');
  expect(
    inspection,
    'provenance',
    snapshot === card.snapshot,
    'materials-mismatch',
    `expected snapshot ${card.snapshot} of the model card among the materials, got ${snapshot ?? 'none or several'}`,
  );
  // A card gives a version with the built-in trainer's name.
  const [trainer] = card.training.trainer.split('/', 1);
  const said = canonicalJson({
    name,
    trainer: training.trainer,
    seed: training.seed,
    parameters: training.parameters,
  });
  const carded = canonicalJson({
    name: card.name,
    trainer: trainer!,
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
  return { parent, training };
}
