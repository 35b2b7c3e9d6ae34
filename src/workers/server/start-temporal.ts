import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { TransientError } from '../../core/errors/index.js';
import type { ConnectionSettings } from './connection-settings.js';
import {
  type EmbeddedServer,
  type EmbeddedServerOptions,
  embeddedNamespace,
  startEmbeddedServer,
} from './embedded-server.js';
import { registerSearchAttributes } from './search-attributes.js';

/** A Temporal server that can be used. */
interface RunningTemporal {
  readonly address: string;
  readonly namespace: string;
  /** Of the embedded server; the user knows where the UI of their own server is. */
  readonly uiUrl?: string;
  /** Process of the embedded server now: another one after a restart. */
  pid(): number | undefined;
  /** Stops an embedded server; leaves a configured one alone. */
  stop(): Promise<void>;
}

const longestPauseMs = 10_000;

/**
 * Makes the server of these settings ready for Assay: connects to a configured one, or starts an embedded one and
 * starts it again, on the same ports and database, whenever it dies.
 * @throws TransientError when it cannot be reached or does not start
 */
export function startTemporal(
  settings: ConnectionSettings,
  options: Omit<EmbeddedServerOptions, 'executable'>,
): Promise<RunningTemporal> {
  return settings.kind === 'configured'
    ? prepareConfigured(settings)
    : keepEmbeddedRunning({ ...options, executable: settings.executable });
}

async function prepareConfigured({
  config,
}: Extract<ConnectionSettings, { kind: 'configured' }>): Promise<RunningTemporal> {
  const { address = '' } = config.connectionOptions;
  const namespace = config.namespace ?? 'default';
  let connection: Connection | undefined;
  try {
    connection = await Connection.connect(config.connectionOptions);
    await registerSearchAttributes(connection, namespace);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new TransientError(`cannot prepare namespace ${namespace} at ${address}: ${message}`, { cause });
  } finally {
    await connection?.close();
  }
  return { address, namespace, pid: () => undefined, stop: async () => undefined };
}

async function keepEmbeddedRunning(options: EmbeddedServerOptions): Promise<RunningTemporal> {
  let server = await startEmbeddedServer(options);
  const { address, uiUrl } = server;
  const samePorts = { ...options, port: portOf(`tcp://${address}`), uiPort: portOf(uiUrl) };
  const stopping = new AbortController();
  const supervising = (async () => {
    for (;;) {
      await server.exited;
      const restarted = await startAgain(samePorts, stopping.signal);
      if (restarted === undefined) return;
      server = restarted;
    }
  })();
  return {
    address,
    namespace: embeddedNamespace,
    uiUrl,
    pid: () => server.pid,
    async stop() {
      stopping.abort();
      await server.stop();
      await supervising;
    },
  };
}

/** @returns undefined when it was asked to stop in the meantime */
async function startAgain(
  options: EmbeddedServerOptions,
  stopping: AbortSignal,
): Promise<EmbeddedServer | undefined> {
  for (let pauseMs = 250; !stopping.aborted; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
    try {
      const server = await startEmbeddedServer(options);
      if (!stopping.aborted) return server;
      await server.stop();
    } catch {
      // Its last words are in the log; the next try may find the port free again.
      await sleep(pauseMs, undefined, { signal: stopping }).catch(() => undefined);
    }
  }
  return undefined;
}

function portOf(url: string): number {
  return Number(new URL(url).port);
}
