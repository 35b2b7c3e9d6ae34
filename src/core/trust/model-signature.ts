import { createHash } from 'node:crypto';
import { RefusedError } from '../errors/index.js';
import type { TreeEntry } from '../store/index.js';
import type { TrustPolicy } from './policy.js';
import type { TrustedSigner } from './signed-by/trusted-signer.js';
import type { Signer } from './signers/signer.js';
import { openStatement, signStatement } from './statement.js';
import { modelSignaturePredicate } from './statements/model-signature.js';
import { digestSetOf } from './statements/predicate.js';

/** A model folder as both sides of a signature see it. */
export interface ModelFolder {
  /** The folder's own name; other tools compare it with the name on disk. */
  readonly name: string;
  /** All its files, by digests that the caller has taken or checked. */
  readonly files: readonly Pick<TreeEntry, 'path' | 'digest'>[];
}

/**
 * Signs a folder in the format of the OpenSSF Model Signing specification v1.0, which other tools verify too.
 *
 * @returns the bytes of the bundle; keep them outside the folder
 * @throws RefusedError `statement-invalid` for an empty folder or unsafe names
 */
export async function signModel(signer: Signer, folder: ModelFolder): Promise<Uint8Array> {
  const resources = folder.files
    .map(({ path, digest }) => ({
      name: path,
      algorithm: 'sha256' as const,
      digest: digestSetOf(digest).sha256,
    }))
    // By code points, as the specification says: the order of UTF-8 bytes, and not of UTF-16 strings.
    .sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
  return signStatement(
    signer,
    modelSignaturePredicate,
    { name: folder.name, digest: { sha256: rootOf(resources) } },
    {
      serialization: { method: 'files', hash_type: 'sha256', allow_symlinks: false, ignore_paths: [] },
      resources,
    },
  );
}

/**
 * Checks that a bundle signs exactly this folder: each of its files, and nothing else. Ignored paths excuse no file.
 *
 * @param endpoint - the endpoint for which the signer must be allowed, if any
 * @returns who signed it
 * @throws RefusedError what `openStatement` throws, or `model-mismatch` with every difference as a detail
 */
export function verifyModelSignature(
  bundle: Uint8Array,
  policy: TrustPolicy,
  folder: ModelFolder,
  now: Date,
  endpoint?: string,
): TrustedSigner {
  const { subject, predicate, signer } = openStatement(
    bundle,
    policy,
    modelSignaturePredicate,
    now,
    endpoint,
  );
  const differences: string[] = [];
  // The reference tool sorts by path components: whatever the order, the root is taken over the list as it stands.
  if (rootOf(predicate.resources) !== subject.digest.sha256) {
    differences.push('expected the subject to be the digest of the resources, got another');
  }
  if (subject.name !== folder.name) {
    differences.push(`expected a model called ${folder.name}, got ${JSON.stringify(subject.name)}`);
  }
  const signed = new Map(predicate.resources.map(({ name, digest }) => [name, `sha256:${digest}`]));
  for (const { path, digest } of folder.files) {
    const expected = signed.get(path);
    if (expected !== digest) {
      differences.push(`expected ${JSON.stringify(path)} to be ${expected ?? 'absent'}, got ${digest}`);
    }
    signed.delete(path);
  }
  for (const path of signed.keys()) differences.push(`expected ${JSON.stringify(path)}, got no such file`);
  if (differences.length > 0) throw new RefusedError('model-mismatch', differences.join('; '), differences);
  return signer;
}

/** SHA-256 over the raw digests, in the order of the list. */
function rootOf(resources: readonly { readonly digest: string }[]): string {
  const hash = createHash('sha256');
  for (const { digest } of resources) hash.update(digest, 'hex');
  return hash.digest('hex');
}
