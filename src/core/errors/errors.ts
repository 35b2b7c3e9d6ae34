import { type ErrorCode, type ErrorEntry, errorTable } from './table.js';

/**
 * A decision, not an accident: retrying with equal inputs gives the same answer. Activities turn it into a
 * non-retryable failure or a `refused` outcome; the CLI and the gateway print it as it is.
 */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
  /**
   * @param code - a row of {@link errorTable}
   * @param message - what is wrong and where: what was expected, what was found
   * @param details - every single problem, one line each, when there are several
   */
  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly details: readonly string[] = [],
    options?: ErrorOptions,
  ) {
    super(message, options);
  }

  get entry(): ErrorEntry {
    return errorTable[this.code];
  }

  get hint(): string {
    return this.entry.hint;
  }
}

/** When a fault that keeps coming back is no accident any more. */
export interface GiveUp {
  /** Tries in all, after which it counts as a refusal. */
  readonly attempts: number;
  /** What it is then: a row of {@link errorTable}. */
  readonly code: ErrorCode;
}

/** A fault (a full disk, a lost connection, a crashed program): the same call may succeed later. */
export class TransientError extends Error {
  override readonly name = 'TransientError';
  /** Absent for faults of the infrastructure, which are worth any number of tries. */
  readonly giveUp?: GiveUp;

  constructor(message: string, { giveUp, ...options }: ErrorOptions & { readonly giveUp?: GiveUp } = {}) {
    super(message, options);
    if (giveUp) this.giveUp = giveUp;
  }
}
