export {
  type AssayClient,
  type AssayClientOptions,
  connectAssay,
  type DecisionRequest,
  type RollbackWish,
  type RunProgress,
  type RunSummary,
} from './cli/client.js';
export { RefusedError, TransientError } from './core/errors/index.js';
export { type Lifecycle, lifecycleJsonSchema, parseLifecycle } from './core/spec/index.js';
export { openStore, type Store } from './core/store/index.js';
export {
  openSigner,
  type RequestDraft,
  readTrustPolicy,
  type Signer,
  signRequest,
  type TrustPolicy,
  type Verification,
  verifyRelease,
} from './core/trust/index.js';
export type {
  Decision,
  EndpointState,
  LifecycleOutcome,
  LifecycleProgress,
  Revision,
  RollbackRequest,
  SignedRequest,
} from './workflows/contract.js';
