import { TransientError } from '../errors/index.js';
import { fieldOf } from './field-of.js';
import type { SecretProvider } from './provider.js';

const patienceMs = 10_000;

/** HashiCorp Vault, key-value engine version 2, at VAULT_ADDR with VAULT_TOKEN (and VAULT_NAMESPACE). */
export const vault: SecretProvider = {
  scheme: 'vault',
  example: 'vault:secret/data/NAME#FIELD',
  async fetch(name) {
    const { VAULT_ADDR: address, VAULT_TOKEN: token, VAULT_NAMESPACE: namespace } = process.env;
    const [path = '', field = 'value'] = name.split('#');
    if (!address || !token)
      throw new TransientError('cannot ask Vault: VAULT_ADDR or VAULT_TOKEN is not set');
    let response: Response;
    try {
      response = await fetch(new URL(`/v1/${path}`, address), {
        headers: { 'X-Vault-Token': token, ...(namespace && { 'X-Vault-Namespace': namespace }) },
        redirect: 'error',
        signal: AbortSignal.timeout(patienceMs),
      });
    } catch (error) {
      throw new TransientError(`cannot reach Vault at ${address}`, { cause: error });
    }
    if (response.status === 404) return undefined;
    if (!response.ok)
      throw new TransientError(`cannot fetch the secret ${path}: Vault answers ${response.status}`);
    const { data } = (await response.json()) as { readonly data?: { readonly data?: unknown } };
    return fieldOf(JSON.stringify(data?.data ?? {}), field);
  },
};
