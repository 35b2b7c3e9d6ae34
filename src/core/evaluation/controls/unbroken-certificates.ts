import type { Control } from './control.js';

/**
 * Do proofs and attacks agree? A sample that was broken inside a ball in which bounds prove its class shows that one of
 * them is wrong. Nothing is expected of models that bounds do not reach.
 */
export const unbrokenCertificates: Control = {
  name: 'a certified sample is never broken',
  needsGradients: false,
  judge({ rows }) {
    const tried = rows.filter(({ certified }) => certified !== null);
    const contradicting = tried.filter(({ certified }) => certified === true);
    return contradicting.length === 0
      ? []
      : [
          {
            status: 'fail',
            reason: `Bounds certify ${contradicting.length} of ${tried.length} samples that attacks broke: the certificate, the runtime or the attacked model is wrong (first: sample ${contradicting[0]!.id}).`,
          },
        ];
  },
};
