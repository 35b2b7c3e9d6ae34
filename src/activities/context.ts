import type { Store } from '../core/store/index.js';
import type { Signer, TrustPolicy } from '../core/trust/index.js';

/** What every worker process has. */
export interface WorkerContext {
  readonly store: Store;
  /** Folder for files that an activity needs on disk while it runs. */
  readonly scratch: string;
  /** Tells this worker process from all others. */
  readonly identity: string;
}

/** What a worker that trains has besides. */
export interface ComputeContext extends WorkerContext {
  /** Takes one accelerator for the time of `use`; undefined on a CPU worker. */
  readonly withDevice: <T>(use: (device: string | undefined) => Promise<T>) => Promise<T>;
}

/** Only signing workers have this. */
export interface SigningContext extends WorkerContext {
  readonly signer: Signer;
  /** Whom to believe before summing up what others signed. */
  readonly trust: TrustPolicy;
}

/** Control workers decide what may be published. */
export interface ControlContext extends WorkerContext {
  readonly trust: TrustPolicy;
}
