import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { JSONWebKeySet, JWTVerifyGetKey } from 'jose' with { 'resolution-mode': 'import' };
import type { Logger } from 'pino';
import { RefusedError, TransientError } from '../core/errors/index.js';
import { readTokenIssuers, type TokenIssuer, type TrustedIssuer } from '../core/serving/index.js';
import { type FollowedFile, followFile } from './followed-file.js';

/** How long keys are believed that were fetched from a URL: as long as a key that its issuer withdrew goes on working. */
const believedMs = 600_000;
/** Between two looks for a key that is not among those fetched. */
const cooldownMs = 30_000;
const fetchMs = 5_000;

/**
 * Reads the issuers whose tokens say who a client is, and their keys, and follows both.
 *
 * @param file - see `readTokenIssuers`; files of keys are relative to it
 * @throws RefusedError `token-issuers-invalid` when the files cannot be used at the start
 */
export function followTokenIssuers(
  file: string,
  log: Logger,
): Promise<FollowedFile<readonly TrustedIssuer[]>> {
  const keyFile = ({ keys }: TokenIssuer) =>
    'file' in keys ? path.resolve(path.dirname(file), keys.file) : undefined;

  async function readTexts(): Promise<string> {
    const text = await readFile(file, 'utf8');
    const files = readTokenIssuers(text).map(keyFile);
    return JSON.stringify({
      text,
      keys: await Promise.all(files.map((name) => (name === undefined ? '' : readFile(name, 'utf8')))),
    });
  }

  return followFile(
    'token issuers',
    readTexts,
    async (texts) => {
      const { text, keys } = JSON.parse(texts) as { readonly text: string; readonly keys: readonly string[] };
      const { createLocalJWKSet } = await import('jose');
      return await Promise.all(
        readTokenIssuers(text).map(async (issuer, index) => ({
          ...issuer,
          findKey:
            'url' in issuer.keys
              ? await fetchedKeys(new URL(issuer.keys.url), issuer.name)
              : createLocalJWKSet(readKeySet(keys[index]!, keyFile(issuer)!)),
        })),
      );
    },
    log,
  );
}

function readKeySet(text: string, file: string): JSONWebKeySet {
  const invalid = (expected: string, cause?: unknown) =>
    new RefusedError('token-issuers-invalid', `expected ${expected} in ${file}`, [], { cause });
  let set: Partial<JSONWebKeySet> | null;
  try {
    set = JSON.parse(text) as Partial<JSONWebKeySet> | null;
  } catch (error) {
    throw invalid('a JSON Web Key Set', error);
  }
  if (!Array.isArray(set?.keys) || set.keys.length === 0) throw invalid('a JSON Web Key Set with keys');
  if (set.keys.some((key) => key?.kty === 'oct' || key?.d !== undefined)) throw invalid('public keys alone');
  return set as JSONWebKeySet;
}

/** Keys at a URL, fetched when a token needs one; what is no answer of the URL is a fault, and no verdict on the token. */
async function fetchedKeys(url: URL, issuer: string): Promise<JWTVerifyGetKey> {
  const { createRemoteJWKSet, errors } = await import('jose');
  const fetched = createRemoteJWKSet(url, {
    timeoutDuration: fetchMs,
    cooldownDuration: cooldownMs,
    cacheMaxAge: believedMs,
  });
  return async (header, token) => {
    try {
      return await fetched(header, token);
    } catch (error) {
      if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys)
        throw error;
      throw new TransientError(`the keys of the issuer ${issuer} cannot be fetched`, { cause: error });
    }
  };
}
