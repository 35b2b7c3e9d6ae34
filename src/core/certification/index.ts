export { crown, interval, openCrownWithin } from './bounds/methods.js';
export type {
  BallOptions,
  CertifiableModel,
  Certificate,
  CertificationMethod,
  Certifier,
} from './certificate.js';
export { type AnyCertificate, type CertificationChoice, openCertifier } from './open-certifier.js';
export { voteCertificate } from './partitions/vote-certificate.js';
export { answerSmoothed, type SmoothedAnswer } from './smoothing/smoothed-classifier.js';
export {
  certificateOf,
  type SmoothingCertificate,
  type SmoothingOptions,
  smoothing,
} from './smoothing/smoothing.js';
export { countVotes, smoothedPrediction } from './smoothing/vote.js';
