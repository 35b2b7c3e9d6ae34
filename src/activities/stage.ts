import { ApplicationFailure, activityInfo, CancelledFailure, Context } from '@temporalio/activity';
import type { z } from 'zod';
import { RefusedError, TransientError } from '../core/errors/index.js';
import type { Digest } from '../core/spec/index.js';
import { digestOfJson, type Store } from '../core/store/index.js';
import { type Report, withHeartbeat } from './heartbeat.js';

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

/** A stage whose outcomes are recorded. */
export interface Stage<T> {
  /** Part of the key. */
  readonly name: string;
  /** Part of the key: counts up with every change of what the stage makes of equal inputs. */
  readonly version: number;
  /**
   * What an outcome of just these inputs looks like. Workers seal what they record (`authenticOutcomes`); this catches
   * what another version of them recorded.
   */
  readonly outcome: z.ZodType<T>;
}

/** Unclassified errors are tried this often: they may be passing faults, but a bug would repeat forever. */
const attemptsForUnknownErrors = 5;

/**
 * Runs one idempotent stage: equal inputs find the recorded outcome of whoever did the work first, in this run or in
 * another; refusals become results; faults are thrown in the class that decides whether Temporal retries. The heartbeat
 * goes on meanwhile.
 *
 * @param inputs - everything that the outcome depends on, as JSON
 */
export async function runStage<T>(
  store: Store,
  stage: Stage<T>,
  inputs: unknown,
  work: (report: Report) => Promise<T>,
): Promise<StageResult<T>> {
  const { name, version } = stage;
  const key = digestOfJson({ stage: name, version, inputs });
  return classified(async (report) => {
    const recorded = await store.readOutcome(key);
    if (recorded !== undefined) return { kind: 'done', value: read(recorded), cached: true };
    const value = await work(report);
    return { kind: 'done', value: read(await store.recordOutcome(key, value)), cached: false };
  });

  function read(recorded: unknown): T {
    const { success, data, error } = stage.outcome.safeParse(recorded);
    if (success) return data;
    throw new RefusedError(
      'record-corrupt',
      `expected an outcome of ${name} at ${key}, got another record`,
      error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`),
    );
  }
}

/** A refusal as a result. */
export function refusedBy(
  { code, message, details, hint }: RefusedError,
  evidence: readonly Digest[] = [],
): StageRefusal {
  return { kind: 'refused', code, reasons: [message, ...details].slice(0, 50), hint, evidence };
}

/** The same without a record, for work that must be done each time it is asked for. */
export async function runOnce<T>(work: () => Promise<T>): Promise<StageResult<T>> {
  return classified(async () => ({ kind: 'done', value: await work(), cached: false }));
}

/** One attempt with a heartbeat, and its errors sorted: refusals are results, faults are thrown. */
export async function classified<T>(
  attempt: (report: Report) => Promise<StageResult<T>>,
): Promise<StageResult<T>> {
  try {
    return await withHeartbeat(attempt);
  } catch (error) {
    if (error instanceof RefusedError) return refusedBy(error);
    const signal = Context.current().cancellationSignal;
    if (signal.aborted)
      throw signal.reason instanceof Error ? signal.reason : new CancelledFailure('cancelled');
    if (error instanceof TransientError && error.giveUp && activityInfo().attempt >= error.giveUp.attempts) {
      const { code, attempts } = error.giveUp;
      return refusedBy(new RefusedError(code, `${error.message} (tried ${attempts} times)`));
    }
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
