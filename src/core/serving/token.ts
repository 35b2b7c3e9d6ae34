import { createHash } from 'node:crypto';
import type { JWTVerifyGetKey } from 'jose' with { 'resolution-mode': 'import' };
import type { ApiClient } from './api-clients.js';
import type { TokenIssuer } from './token-issuers.js';

/** An issuer, and its public keys as they are now. */
export interface TrustedIssuer extends TokenIssuer {
  readonly findKey: JWTVerifyGetKey;
}

/** What a token proves. */
export interface TokenHolder {
  readonly issuer: TrustedIssuer;
  readonly subject: string;
  /** SHA-256 of the TLS certificate that the token is bound to, hex (RFC 8705, section 3.1). */
  readonly certificate: string | undefined;
}

/**
 * Checks a JSON Web Token (RFC 7519, RFC 8725): the issuer, to the letter, and a signature of one of its keys by an algorithm that
 * is allowed for it; audience, expiry and not-before, which must be there but for the last; and what it is bound to.
 *
 * @throws Error with a `code` that begins with `ERR_J`, of `jose`, or TransientError when the keys cannot be had
 */
export async function verifyToken(
  issuers: readonly TrustedIssuer[],
  token: string,
  now: Date,
): Promise<TokenHolder> {
  const { decodeJwt, errors, jwtVerify } = await import('jose');
  const { iss } = decodeJwt(token);
  const issuer = issuers.find((candidate) => candidate.issuer === iss);
  if (issuer === undefined)
    throw new errors.JWTClaimValidationFailed('an issuer that is not trusted', {}, 'iss');
  const { payload } = await jwtVerify(token, issuer.findKey, {
    issuer: issuer.issuer,
    audience: issuer.audience,
    algorithms: issuer.algorithms,
    clockTolerance: issuer.clockSkewSeconds,
    currentDate: now,
    requiredClaims: ['sub', 'exp'],
  });
  return { issuer, subject: payload.sub!, certificate: certificateIn(payload.cnf) };

  /** A token that is bound to something else than a certificate would be taken for one that is bound to nothing. */
  function certificateIn(confirmation: unknown): string | undefined {
    if (confirmation === undefined) return undefined;
    const thumbprint = (confirmation as { readonly 'x5t#S256'?: unknown } | null)?.['x5t#S256'];
    if (typeof thumbprint === 'string' && Object.keys(confirmation as object).length === 1)
      return Buffer.from(thumbprint, 'base64url').toString('hex');
    throw new errors.JWTClaimValidationFailed('bound to what a gateway cannot check', payload, 'cnf');
  }
}

/**
 * The client that a token's holder is: the one that the clients file names, or else one of its issuer's `everyone`, named by a hash of
 * the subject, which may be somebody's address.
 */
export function clientOf(
  clients: readonly ApiClient[],
  { issuer: { name, everyone }, subject }: TokenHolder,
): ApiClient | undefined {
  const listed = clients.find(({ subjects }) =>
    subjects.some((known) => known.issuer === name && known.subject === subject),
  );
  if (listed !== undefined || everyone === undefined) return listed;
  const hash = createHash('sha256').update(subject).digest('hex').slice(0, 32);
  return { name: `${name}-${hash}`, keys: [], certificates: [], subjects: [], ...everyone };
}
