export type {
  BallOptions,
  CertifiableModel,
  Certificate,
  CertificationMethod,
  Certifier,
} from './certificate.js';
export {
  certificateOf,
  type SmoothingCertificate,
  type SmoothingOptions,
  smoothing,
} from './smoothing/smoothing.js';
export { countVotes, smoothedPrediction } from './smoothing/vote.js';
