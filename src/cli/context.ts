import { userInfo } from 'node:os';
import pc from 'picocolors';
import { RefusedError } from '../core/errors/index.js';
import type { Signer } from '../core/trust/index.js';
import type { AssayClient } from './client.js';
import { readUp, type StatePaths } from './state.js';

/** What every command gets: where state is, how to speak, and how to reach the server. */
export interface CliContext {
  readonly paths: StatePaths;
  /** Machine-readable output was asked for. */
  readonly json: boolean;
  /** Prints lines for people; nothing with `--json`. */
  say(...lines: readonly string[]): void;
  /** Prints the result for programs; nothing without `--json`. */
  emit(result: unknown): void;
  /** Sets the exit code of a command that ends in a refusal. */
  refuse(): void;
}

export function createContext(paths: StatePaths, json: boolean): CliContext {
  return {
    paths,
    json,
    say(...lines) {
      if (!json) for (const line of lines) console.log(line);
    },
    emit(result) {
      if (json) console.log(JSON.stringify(result));
    },
    refuse() {
      process.exitCode = 3;
    },
  };
}

/**
 * Connects, runs, disconnects.
 *
 * @param signer - whose requests it sends; only looking takes none
 * @throws RefusedError `server-missing` when there is no server to talk to
 */
export async function withClient<T>(
  context: CliContext,
  use: (client: AssayClient) => Promise<T>,
  signer?: Signer,
): Promise<T> {
  // Loaded by those commands alone that talk to a server: it takes longer than all else together.
  const { loadClientConnectConfig } = await import('@temporalio/envconfig');
  const { connectAssay } = await import('./client.js');
  const { payloadSealing } = await import('../workers/payloads/data-converter.js');
  const up = readUp(context.paths);
  const { connectionOptions, namespace } = loadClientConnectConfig();
  const configured = process.env.TEMPORAL_ADDRESS !== undefined || process.env.TEMPORAL_PROFILE !== undefined;
  if (!up && !configured) {
    throw new RefusedError(
      'server-missing',
      `Nothing runs for ${context.paths.folder}, and TEMPORAL_ADDRESS is not set.`,
    );
  }
  const { dataConverter } = await payloadSealing(process.env);
  const client = await connectAssay({
    dataConverter,
    connection: up && !configured ? { address: up.temporal.address } : connectionOptions,
    namespace: (configured ? namespace : up?.temporal.namespace) ?? 'default',
    store: context.paths.store,
    ...(signer && { signer }),
  });
  try {
    return await use(client);
  } finally {
    await client.close();
  }
}

/** Who is at the keyboard, for the record; `ASSAY_USER` where that is another than the operating system's user. */
export function currentUser(): string {
  return process.env.ASSAY_USER ?? userInfo().username;
}

export const mark = {
  good: pc.green('✓'),
  bad: pc.red('✗'),
  dim: pc.dim,
  bold: pc.bold,
} as const;
