import type { SecretProvider } from './provider.js';

/** Variables of the process. */
export const environment: SecretProvider = {
  scheme: 'env',
  example: 'env:NAME',
  fetch: async (name) => process.env[name],
};
