import type { Digest } from '../core/spec/index.js';
import type { ChainLink } from '../core/trust/index.js';

/** One reason not to serve a release: a broken link of its chain, or what went wrong on the way to a loaded model. */
export interface RefusalReason {
  readonly link?: ChainLink;
  /** Stable, for programs: a code of the chain's verification, a row of the errors table, or `unavailable`. */
  readonly code: string;
  readonly message: string;
}

/** What was refused: a release, or a ref that names none. */
export type RefusedThing = Digest | 'unreadable-ref';

/** A release that this gateway will not serve, and every reason. */
export interface Refusal {
  readonly refused: RefusedThing;
  /** The revision that the ref gave it. */
  readonly revision: number | undefined;
  readonly at: Date;
  readonly failures: readonly RefusalReason[];
  /** How often it was tried. */
  readonly attempts: number;
  /** It is not looked at again before, unless the ref moves. */
  readonly retryAt: Date;
}

/** Remembers what an endpoint refused, so that a bad release is not verified again on every poll. */
export interface Refusals {
  readonly last: () => Refusal | undefined;
  readonly waiting: (thing: RefusedThing) => boolean;
  readonly add: (
    refused: RefusedThing,
    revision: number | undefined,
    failures: readonly RefusalReason[],
  ) => Refusal;
  /** Forgets what is no longer asked for: should it come back, that is news again. */
  readonly keepOnly: (things: ReadonlySet<RefusedThing | undefined>) => void;
}

const firstRetryMs = 2_000;
const longestRetryMs = 300_000;

/** Waits twice as long after each refusal of the same thing, from two seconds to five minutes. */
export function refusals(now: () => Date): Refusals {
  const remembered = new Map<RefusedThing, Refusal>();
  let last: Refusal | undefined;
  return {
    last: () => last,
    waiting(thing) {
      const refusal = remembered.get(thing);
      return refusal !== undefined && now() < refusal.retryAt;
    },
    add(refused, revision, failures) {
      const attempts = (remembered.get(refused)?.attempts ?? 0) + 1;
      const retryMs = Math.min(firstRetryMs * 2 ** (attempts - 1), longestRetryMs);
      const at = now();
      last = { refused, revision, at, failures, attempts, retryAt: new Date(at.getTime() + retryMs) };
      remembered.set(refused, last);
      return last;
    },
    keepOnly(things) {
      for (const thing of remembered.keys()) {
        if (!things.has(thing)) remembered.delete(thing);
      }
    },
  };
}
