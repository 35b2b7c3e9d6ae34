import { ApplicationFailure, activityInfo, CancelledFailure, Context } from '@temporalio/activity';
import { RefusedError, TransientError } from '../core/errors/index.js';
import type { Digest } from '../core/spec/index.js';
import { digestOfJson, type Store } from '../core/store/index.js';

/** What a stage hands back: a value, or a refusal with its reasons. Faults are thrown, and Temporal retries them. */
export type StageResult<T> =
  | { readonly kind: 'done'; readonly value: T; readonly cached: boolean }
  | StageRefusal;

export interface StageRefusal {
  readonly kind: 'refused';
  readonly code: string;
  readonly reasons: readonly string[];
  readonly hint: string;
  readonly evidence: readonly Digest[];
}

/** Unclassified errors are tried this often: they may be passing faults, but a bug would repeat forever. */
const attemptsForUnknownErrors = 5;

/**
 * Runs one idempotent stage: equal inputs find the recorded outcome of whoever did the work first, in this run or in
 * another; refusals become results; faults are thrown in the class that decides whether Temporal retries.
 *
 * @param name - which stage this is: part of the key
 * @param inputs - everything that the outcome depends on, as JSON
 */
export async function runStage<T>(
  store: Store,
  name: string,
  inputs: unknown,
  work: () => Promise<T>,
): Promise<StageResult<T>> {
  const key = digestOfJson({ stage: name, version: 1, inputs });
  return classified(async () => {
    const recorded = await store.readOutcome(key);
    if (recorded !== undefined) return { kind: 'done', value: recorded as T, cached: true };
    const value = await work();
    return { kind: 'done', value: (await store.recordOutcome(key, value)) as T, cached: false };
  });
}

/** The same without a record, for work that must be done each time it is asked for. */
export async function runOnce<T>(work: () => Promise<T>): Promise<StageResult<T>> {
  return classified(async () => ({ kind: 'done', value: await work(), cached: false }));
}

async function classified<T>(attempt: () => Promise<StageResult<T>>): Promise<StageResult<T>> {
  try {
    return await attempt();
  } catch (error) {
    if (error instanceof RefusedError) {
      return {
        kind: 'refused',
        code: error.code,
        reasons: [error.message, ...error.details].slice(0, 50),
        hint: error.hint,
        evidence: [],
      };
    }
    const signal = Context.current().cancellationSignal;
    if (signal.aborted)
      throw signal.reason instanceof Error ? signal.reason : new CancelledFailure('cancelled');
    if (
      error instanceof TransientError ||
      error instanceof ApplicationFailure ||
      error instanceof CancelledFailure
    ) {
      throw error;
    }
    if (activityInfo().attempt >= attemptsForUnknownErrors) {
      throw ApplicationFailure.fromError(error as Error, { nonRetryable: true });
    }
    throw error;
  }
}
