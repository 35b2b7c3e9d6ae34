export { type ApiClient, readClients } from './api-clients.js';
export { type GeneratedApiKey, generateApiKey, hashApiKey, type KeyRecord } from './api-key.js';
export { authenticate, authorize, type Credentials, type KnownSpeakers } from './authenticate.js';
export { type BinaryRequest, readBinaryRequest, writeBinaryAnswer } from './binary-tensors.js';
export { scopeOf } from './client-scope.js';
export {
  type EndpointPointer,
  endpointOfRef,
  endpointPointerSchema,
  endpointRef,
  endpointRefPrefix,
  readEndpointPointer,
} from './endpoint-pointer.js';
export { type FairQueue, fairQueue } from './fair-queue.js';
export { describeInput, type InferenceRequest, readInferenceRequest } from './inference-request.js';
export {
  abstentionLabel,
  describeOutputs,
  type OutputMetadata,
  type OutputName,
  type OutputTensor,
  outputTensors,
  type RevealRow,
  smoothedOutputTensors,
} from './inference-response.js';
export { openApiDocument } from './openapi.js';
export { indexOfLargest, softmax } from './probabilities.js';
export {
  type BudgetWindow,
  budgetRef,
  budgetWindows,
  grantOf,
  readBudgetAccount,
} from './query-budget.js';
export { reveal } from './reveal.js';
export type { TrustedIssuer } from './token.js';
export { type TokenBucket, takeTokens } from './token-bucket.js';
export { readTokenIssuers, type TokenIssuer } from './token-issuers.js';
export { learnProfile, type Profile } from './watch/profile.js';
export { secretProjection } from './watch/projection.js';
export { type Alarm, type Suspicion, watchRequest } from './watch/watch.js';
