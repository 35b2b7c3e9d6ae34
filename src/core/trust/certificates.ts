import { X509Certificate } from 'node:crypto';
import { X509Certificate as ParsedCertificate } from '@sigstore/core';
import { RefusedError } from '../errors/index.js';

/** Leaf, intermediates and root: more than any signer has, and few enough to look at. */
const longestChain = 8;

/**
 * Reads the certificates of a PEM text, in order.
 *
 * @throws RefusedError `certificate-invalid`
 */
export function certificatesIn(pem: string): readonly X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0)
    throw new RefusedError('certificate-invalid', 'expected certificates in PEM, got none');
  return blocks.map(readCertificate);
}

/** @throws RefusedError `certificate-invalid` */
export function readCertificate(content: string | Uint8Array): X509Certificate {
  try {
    return new X509Certificate(content);
  } catch {
    throw new RefusedError('certificate-invalid', 'expected an X.509 certificate, got something else');
  }
}

/**
 * Walks from a signer's certificate up to one of the pinned roots (RFC 5280, section 6, without name constraints and
 * revocation lists, which a policy for a handful of signers has no use for: any critical extension that is not looked at
 * here is refused).
 *
 * @param chain - the signer's certificate, then issuers in any order
 * @param roots - pinned: nothing else is believed, whatever the operating system trusts
 * @param now - all certificates must be valid then, roots included
 * @throws RefusedError `certificate-invalid`, saying what is wrong with the chain
 */
export function verifyCertificateChain(
  chain: readonly X509Certificate[],
  roots: readonly X509Certificate[],
  now: Date,
): void {
  const [leaf, ...issuers] = chain;
  if (!leaf || chain.length > longestChain) {
    throw invalid(`expected 1 to ${longestChain} certificates, got ${chain.length}`);
  }
  const usage = parsed(leaf).extKeyUsage;
  if (leaf.ca) throw invalid('expected the certificate of a signer, got one of an authority');
  if (!usage?.digitalSignature) throw invalid('expected a certificate for digital signatures, got another');
  let current = leaf;
  for (let depth = 0; depth <= longestChain; depth++) {
    requireValid(current, now);
    requireNothingUnseen(current);
    const root = roots.find((candidate) => issued(candidate, current, depth));
    if (root) {
      requireValid(root, now);
      return;
    }
    const issuer = issuers.find((candidate) => candidate !== current && issued(candidate, current, depth));
    if (!issuer) break;
    current = issuer;
  }
  throw invalid('expected a chain up to a root of the trust policy, got one that ends elsewhere');
}

/** Whether one certificate is of an authority that may, and did, issue the other. */
function issued(issuer: X509Certificate, subject: X509Certificate, intermediates: number): boolean {
  if (!issuer.ca || !subject.checkIssued(issuer) || !subject.verify(issuer.publicKey)) return false;
  const { extBasicConstraints: constraints, extKeyUsage: usage } = parsed(issuer);
  const longest = constraints?.pathLenConstraint;
  return usage?.keyCertSign === true && (longest === undefined || longest >= BigInt(intermediates));
}

function requireValid(certificate: X509Certificate, now: Date): void {
  const { validFrom, validTo } = certificate;
  if (new Date(validFrom) > now || now > new Date(validTo)) {
    throw invalid(
      `expected a certificate that is valid at ${now.toISOString()}, got ${validFrom} to ${validTo}`,
    );
  }
}

/** Basic constraints, key usage, extended key usage, subject alternative name, key identifiers. */
const seenExtensions: ReadonlySet<string> = new Set([
  ...['2.5.29.19', '2.5.29.15', '2.5.29.37', '2.5.29.17', '2.5.29.14', '2.5.29.35'],
]);

/** A critical extension says: whoever does not understand this must not use the certificate (RFC 5280, section 4.2). */
function requireNothingUnseen(certificate: X509Certificate): void {
  for (const extension of parsed(certificate).extensions) {
    const oid = extension.subs[0]!.toOID();
    const critical = extension.subs.length === 3 && extension.subs[1]!.toBoolean();
    if (critical && !seenExtensions.has(oid)) {
      throw invalid(`expected no critical extension that is not understood, got ${oid}`);
    }
  }
}

function parsed(certificate: X509Certificate): ParsedCertificate {
  try {
    return ParsedCertificate.parse(Buffer.from(certificate.raw));
  } catch {
    throw invalid('expected an X.509 v3 certificate, got something else');
  }
}

function invalid(message: string): RefusedError {
  return new RefusedError('certificate-invalid', message);
}
