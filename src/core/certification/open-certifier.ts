import { RefusedError } from '../errors/index.js';
import type { CertifiedGateSpec } from '../spec/index.js';
import { crown, interval } from './bounds/methods.js';
import type { CertifiableModel, Certificate, Certifier } from './certificate.js';
import { type SmoothingCertificate, smoothing } from './smoothing/smoothing.js';

/** A certificate of any method; one by smoothing comes with its votes. */
export type AnyCertificate = Certificate & Partial<SmoothingCertificate>;

/** What of a gate's specification says how it certifies. */
export type CertificationChoice = Pick<CertifiedGateSpec, 'method' | 'norm' | 'epsilon' | 'smoothing'>;

/**
 * Puts the method that was chosen to work on a model: the registry of methods.
 *
 * @param seed - keys the noise of `smoothing`, together with the ids of samples
 * @throws RefusedError `operator-unsupported` when the method cannot reason about the model, `spec-invalid` when it lacks
 * its options
 */
export async function openCertifier(
  model: CertifiableModel,
  choice: CertificationChoice,
  seed: number,
): Promise<Certifier<AnyCertificate>> {
  switch (choice.method) {
    case 'smoothing': {
      if (!choice.smoothing) throw new RefusedError('spec-invalid', 'expected a smoothing block, got none');
      return await smoothing.open(model, { ...choice.smoothing, seed });
    }
    case 'interval':
      return await interval.open(model, choice);
    case 'crown':
      return await crown.open(model, choice);
  }
}
