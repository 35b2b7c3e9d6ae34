import { TransientError } from '../errors/index.js';

/**
 * Runs a call to the operating system. What it refuses (a full disk, an unreadable sector, a vanished mount) says
 * nothing about the artifact, so it becomes a fault that may be retried and never a refusal.
 *
 * @param task - what was tried, as in "cannot *write blobs/ab*"
 * @throws TransientError
 */
export async function faultsOf<T>(task: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw new TransientError(`cannot ${task}: ${error.message}`, { cause: error });
  }
}

/** The code of a system error such as `ENOENT`, or undefined for any other error. */
export function systemCode(error: unknown): string | undefined {
  return isSystemError(error) ? error.code : undefined;
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException & { code: string } {
  return typeof error === 'object' && error !== null && 'syscall' in error && 'code' in error;
}
