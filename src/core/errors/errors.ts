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

/** An infrastructure fault (a full disk, a lost connection): the same call may succeed later. */
export class TransientError extends Error {
  override readonly name = 'TransientError';
}
