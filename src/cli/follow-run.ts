import { setTimeout as sleep } from 'node:timers/promises';
import { RefusedError } from '../core/errors/index.js';
import type { LifecycleOutcome } from '../workflows/contract.js';
import type { AssayClient, RunProgress } from './client.js';

/** How long the server may be away before following gives up; the run itself goes on. */
const patienceMs = 120_000;

/**
 * Follows a run to its end, through restarts of the server.
 *
 * @param onProgress - called with what is new, about four times a second
 */
export async function followRun(
  client: AssayClient,
  run: string,
  onProgress: (progress: RunProgress) => void,
): Promise<LifecycleOutcome> {
  const ended = new AbortController();
  const watching = (async () => {
    while (!ended.signal.aborted) {
      await client.progress(run).then(onProgress, () => undefined);
      await sleep(250, undefined, { signal: ended.signal }).catch(() => undefined);
    }
  })();
  try {
    return await patiently(() => client.outcome(run));
  } finally {
    ended.abort();
    await watching;
    await client.progress(run).then(onProgress, () => undefined);
  }
}

/** Repeats a call while the connection is down, which is no answer about the run. */
async function patiently<T>(call: () => Promise<T>): Promise<T> {
  let downSince: number | undefined;
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (error instanceof RefusedError || !isConnectionLoss(error)) throw error;
      downSince ??= Date.now();
      if (Date.now() - downSince > patienceMs) throw error;
      await sleep(500);
    }
  }
}

function isConnectionLoss(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (/UNAVAILABLE|DEADLINE_EXCEEDED|ECONNREFUSED|ECONNRESET|No connection established/.test(cause.message))
      return true;
  }
  return false;
}
