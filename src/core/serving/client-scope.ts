import { RefusedError } from '../errors/index.js';
import { defaultScope, type ScopeSpec, type ServingSpec, scopeServed } from '../spec/index.js';
import type { ApiClient } from './api-clients.js';

/**
 * What an endpoint tells a client, and how much it may ask: the entry of its scope; everything, without limits, where the release
 * says nothing of scopes.
 *
 * @throws RefusedError `forbidden` when the release knows scopes, and the client's is none of them
 */
export function scopeOf(
  serving: ServingSpec | undefined,
  { scope = defaultScope }: Pick<ApiClient, 'scope'>,
): ScopeSpec {
  const served = scopeServed(serving, scope);
  if (served !== undefined) return served;
  throw new RefusedError('forbidden', `this endpoint serves no clients of the scope ${scope}`);
}
