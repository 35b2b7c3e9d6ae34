import type { Chain, Digest, ServingSpec } from '../../spec/index.js';

/** What is said of a model before anyone sums it up. */
export interface Evidence {
  /** Where the model is to be served: whose keys and gates count. */
  readonly endpoint: string;
  readonly model: Digest;
  readonly chain: Omit<Chain, 'verification' | 'approvals'>;
  /** What is told to whom; everything to everyone where it is absent. */
  readonly serving?: ServingSpec | undefined;
}
