import { RefusedError } from '../errors/index.js';
import { awsSecretsManager } from './aws-secrets-manager.js';
import { environment } from './environment.js';
import { files } from './files.js';
import type { SecretProvider } from './provider.js';
import { vault } from './vault.js';

/** Every place that a reference can name. */
const providers: readonly SecretProvider[] = [environment, files, awsSecretsManager, vault];

/**
 * Fetches what a reference stands for. Call it where the secret is used, and hand nothing on but the reference.
 *
 * @param reference - `env:NAME`, `file:PATH`, `aws-sm:NAME#FIELD` or `vault:PATH#FIELD`
 * @throws RefusedError `secret-missing`, whose message holds the reference, or nothing where the text is none: it may be
 * the secret itself
 * @throws TransientError when the place cannot be reached
 */
export async function resolveSecret(reference: string): Promise<string> {
  const colon = reference.indexOf(':');
  const provider = providers.find(({ scheme }) => scheme === reference.slice(0, colon));
  if (!provider) {
    const examples = providers.map(({ example }) => example).join(', ');
    throw new RefusedError(
      'secret-missing',
      `expected a reference to a secret (${examples}), got another text`,
    );
  }
  const secret = await provider.fetch(reference.slice(colon + 1));
  if (secret === undefined || secret === '') {
    throw new RefusedError('secret-missing', `expected a secret at ${reference}, got none`);
  }
  return secret;
}
