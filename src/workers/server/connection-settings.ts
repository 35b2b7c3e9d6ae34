import type { ClientConnectConfig } from '@temporalio/envconfig';
import { configuredServer } from './configured-server.js';
import type { Machine } from './executable-source.js';
import { findExecutable, thisMachine } from './find-executable.js';

/** Where the Temporal server is: one that the user named, or one to start. */
export type ConnectionSettings =
  | { readonly kind: 'configured'; readonly config: ClientConnectConfig }
  | { readonly kind: 'embedded'; readonly executable: string; readonly from: string };

/**
 * Decides which Temporal server to use, in this order: `TEMPORAL_ADDRESS` or a Temporal profile; else one of our own,
 * started with the `temporal` on the PATH, or the one in the pinned wheel, or the one that the SDK downloads.
 * @throws RefusedError `server-settings-invalid`, or `server-executable-missing` with what to install
 */
export async function connectionSettings(env: Machine['env']): Promise<ConnectionSettings> {
  const machine = { ...thisMachine, env };
  const config = configuredServer(machine);
  if (config !== undefined) return { kind: 'configured', config };
  return { kind: 'embedded', ...(await findExecutable(machine)) };
}
