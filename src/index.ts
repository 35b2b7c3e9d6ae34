export {
  type AssayClient,
  type AssayClientOptions,
  connectAssay,
  type RunProgress,
  type RunSummary,
} from './cli/client.js';
export { RefusedError, TransientError } from './core/errors/index.js';
export { type Lifecycle, lifecycleJsonSchema, parseLifecycle } from './core/spec/index.js';
export { openStore, type Store } from './core/store/index.js';
export { readTrustPolicy, type TrustPolicy, type Verification, verifyRelease } from './core/trust/index.js';
export type {
  Decision,
  EndpointState,
  LifecycleOutcome,
  LifecycleProgress,
  Revision,
  RollbackRequest,
} from './workflows/contract.js';
