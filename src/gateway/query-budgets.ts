import { TransientError } from '../core/errors/index.js';
import {
  type BudgetWindow,
  budgetRef,
  budgetWindows,
  grantOf,
  readBudgetAccount,
  type TokenBucket,
  takeTokens,
} from '../core/serving/index.js';
import type { QueryBudget } from '../core/spec/index.js';
import type { Store } from '../core/store/index.js';

/** Whether a request may go ahead; else the window that is spent, and when to ask again if ever. */
export type Spending =
  | { readonly ok: true }
  | { readonly ok: false; readonly window: string; readonly limit: number; readonly retryAfterMs?: number };

/** What clients may still ask. */
export interface QueryBudgets {
  /**
   * Takes the samples of a request out of every window of a client's budget, or out of none.
   * @throws TransientError when the store does not answer and what was granted before is used up: nothing is served on credit
   */
  readonly spend: (
    endpoint: string,
    client: string,
    budget: QueryBudget,
    samples: number,
  ) => Promise<Spending>;
  /** Gives unused grants back, for other gateways. Never rejects. */
  readonly close: () => Promise<void>;
}

/** A lost race is looked at again so often: others that win make progress. */
const ATTEMPTS = 20;

/** The grants of one gateway out of one account of the store. */
interface Account {
  readonly ends: Date | undefined;
  readonly take: (samples: number) => Promise<boolean>;
  readonly putBack: (samples: number) => void;
  readonly close: () => Promise<void>;
}

/**
 * Keeps count of what clients ask. Budgets by the day and in total are shared with all gateways of the store, and survive all of them:
 * a gateway takes a grant out of the account before it spends any of it, so that one that is killed loses the rest of its grant and
 * no client ever gets more than its budget. The rate by the minute is each gateway's own.
 */
export function queryBudgets(store: Pick<Store, 'readRef' | 'moveRef'>, now: () => Date): QueryBudgets {
  const buckets = new Map<string, TokenBucket>();
  const accounts = new Map<string, Account>();

  function accountOf(endpoint: string, client: string, window: BudgetWindow): Account {
    const ref = budgetRef(endpoint, client, window);
    // The limit is part of the name: another release may have another one.
    const key = `${ref} ${window.limit}`;
    const known = accounts.get(key);
    if (known !== undefined) return known;
    for (const [old, { ends }] of accounts) if (ends && ends <= now()) accounts.delete(old);
    const account = openAccount(store, ref, window);
    accounts.set(key, account);
    return account;
  }

  return {
    async spend(endpoint, client, budget, samples) {
      const at = now();
      const undo: (() => void)[] = [];
      const refused = (spending: Spending): Spending => {
        for (const put of undo) put();
        return spending;
      };
      const { perMinute } = budget;
      if (perMinute !== undefined) {
        const key = `${endpoint}/${client}`;
        const taken = takeTokens(buckets.get(key), perMinute, samples, at.getTime());
        buckets.set(key, taken.bucket);
        const { ok, bucket } = taken;
        if (!ok) return { ok, window: 'a minute', limit: perMinute, retryAfterMs: taken.retryAfterMs };
        undo.push(() => {
          const { tokens, atMs } = buckets.get(key) ?? bucket;
          buckets.set(key, { tokens: tokens + samples, atMs });
        });
      }
      try {
        for (const window of budgetWindows(budget, at)) {
          const { limit, ends } = window;
          const account = accountOf(endpoint, client, window);
          if (!(await account.take(samples))) {
            const later = ends && { retryAfterMs: ends.getTime() - at.getTime() };
            return refused({ ok: false, window: ends ? 'a day' : 'in total', limit, ...later });
          }
          undo.push(() => account.putBack(samples));
        }
        return { ok: true };
      } catch (error) {
        for (const put of undo) put();
        throw error;
      }
    },
    async close() {
      await Promise.allSettled([...accounts.values()].map((account) => account.close()));
    },
  };
}

function openAccount(store: Pick<Store, 'readRef' | 'moveRef'>, ref: string, window: BudgetWindow): Account {
  let left = 0;
  let last: Promise<unknown> = Promise.resolve();

  /** Moves the account by what `change` says of it; by nothing where that is 0. */
  async function move(change: (granted: number) => number): Promise<number> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const version = await store.readRef(ref);
      const account = version ? readBudgetAccount(version.value) : { granted: 0 };
      const by = change(account.granted);
      if (by === 0) return 0;
      if (await store.moveRef(ref, version, { granted: account.granted + by })) return by;
    }
    throw new TransientError(`the query budget ${ref} is moved by others too often`);
  }

  async function take(samples: number): Promise<boolean> {
    if (left < samples) left += await move((granted) => grantOf(window, { granted }, samples - left));
    if (left < samples) return false;
    left -= samples;
    return true;
  }

  return {
    ends: window.ends,
    take(samples) {
      const turn = last.then(() => take(samples));
      last = turn.catch(() => undefined);
      return turn;
    },
    putBack(samples) {
      left += samples;
    },
    async close() {
      await last;
      const unused = left;
      left = 0;
      if (unused > 0) await move(() => -unused);
    },
  };
}
