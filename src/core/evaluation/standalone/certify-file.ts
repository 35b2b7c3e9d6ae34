import type { CertifiedGateSpec } from '../../spec/index.js';
import { type CertifiedRow, certifiedGate } from '../certified-gate.js';
import type { Decision, Measurement } from '../gate.js';
import { type FileInputs, type FileSubject, fileSubject } from './file-subject.js';

export interface CertifyFileOptions extends FileInputs {
  readonly spec: CertifiedGateSpec;
  /** Called with work done so far, 0…1. */
  readonly onProgress?: (fraction: number) => void;
  readonly signal?: AbortSignal;
}

/** What the certified gate proved and decided. */
export interface FileCertification {
  readonly decision: Decision;
  readonly measurement: Measurement<CertifiedRow>;
  readonly classes: FileSubject['classes'];
}

/**
 * Puts anyone's model file before the certified gate: the same certificates and decision as in a run, without a store.
 *
 * By `smoothing`, it is the smoothed classifier that is certified: the file is only its base.
 *
 * @throws RefusedError `data-refused` when the labels are none of the model's classes; the signal's reason
 */
export async function certifyFile({
  spec,
  onProgress,
  signal,
  ...inputs
}: CertifyFileOptions): Promise<FileCertification> {
  const available = inputs.set.samples.ids.length;
  const { subject, classes } = await fileSubject(inputs, certifiedGate.sampleCount(spec, available));
  const measurement = await certifiedGate.measure(spec, {
    ...subject,
    ...(onProgress && { onProgress }),
    ...(signal && { signal }),
  });
  return { decision: certifiedGate.decide(spec, { ...measurement, classes }), measurement, classes };
}
