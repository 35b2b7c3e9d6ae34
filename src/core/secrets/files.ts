import { readFile } from 'node:fs/promises';
import { TransientError } from '../errors/index.js';
import type { SecretProvider } from './provider.js';

/** Files, as Kubernetes and Docker mount them; one newline at the end is not part of the secret. */
export const files: SecretProvider = {
  scheme: 'file',
  example: 'file:/run/secrets/name',
  async fetch(name) {
    try {
      return (await readFile(name, 'utf8')).replace(/\r?\n$/, '');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw new TransientError(`cannot read the secret in ${name}`, { cause: error });
    }
  },
};
