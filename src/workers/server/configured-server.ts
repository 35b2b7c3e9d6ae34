import { type ClientConnectConfig, loadClientConnectConfig } from '@temporalio/envconfig';
import { RefusedError } from '../../core/errors/index.js';
import type { Machine } from './executable-source.js';

/**
 * The Temporal server that the user named, with its TLS and API key: `TEMPORAL_ADDRESS` and its siblings, or a profile
 * of the Temporal configuration file (`TEMPORAL_PROFILE`, `TEMPORAL_CONFIG_FILE`).
 * @returns undefined when none is named: then Assay starts one
 * @throws RefusedError `server-settings-invalid` for a broken file, an unknown profile or an unreadable certificate
 */
export function configuredServer({ env }: Pick<Machine, 'env'>): ClientConnectConfig | undefined {
  const variables = Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  let config: ClientConnectConfig;
  try {
    config = loadClientConnectConfig({ overrideEnvVars: variables });
  } catch (error) {
    // The message is the library's and names files and fields, never the API key.
    const message = error instanceof Error ? error.message : String(error);
    throw new RefusedError('server-settings-invalid', `cannot use the Temporal settings: ${message}`, [], {
      cause: error,
    });
  }
  const named = config.connectionOptions.address !== undefined;
  if (!named && (variables.TEMPORAL_PROFILE || variables.TEMPORAL_API_KEY)) {
    throw new RefusedError(
      'server-settings-invalid',
      'expected an address beside the Temporal profile or API key, got none',
    );
  }
  return named ? config : undefined;
}
