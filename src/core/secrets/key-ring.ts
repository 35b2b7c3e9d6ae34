import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { RefusedError } from '../errors/index.js';
import { resolveSecret } from './resolve-secret.js';

/** Bytes that only the holders of a key can read, or have made. */
export interface Sealed {
  readonly keyId: string;
  /** Nonce, ciphertext, tag. */
  readonly bytes: Uint8Array;
}

/** Keys by id: one seals, and all of them open, so that a new key takes over while what older ones sealed can still be read. */
export interface KeyRing {
  readonly seal: (plain: Uint8Array) => Sealed;
  /**
   * @throws RefusedError `payload-sealed` when the key is not in the ring, `payload-tampered` when anything was changed: a byte, or the
   * key's name
   */
  readonly open: (sealed: Sealed) => Uint8Array;
}

const idPattern = /^[A-Za-z0-9._-]{1,32}$/;
const algorithm = 'aes-256-gcm';
const nonceBytes = 12;
const tagBytes = 16;

/**
 * Reads the keys of a ring: `ID=REFERENCE,ID=REFERENCE`, the first of which seals. Each secret is 32 random bytes, base64 or hex.
 *
 * @throws RefusedError `payload-keys-invalid`, `secret-missing`; TransientError
 */
export async function readKeyRing(text: string): Promise<KeyRing> {
  const entries = text.split(',').map((entry) => {
    const at = entry.indexOf('=');
    const [id, reference] = [entry.slice(0, Math.max(0, at)).trim(), entry.slice(at + 1).trim()];
    // Not quoted: somebody may have written the key itself.
    if (!idPattern.test(id)) throw invalid('ID=REFERENCE,… with ids of letters, digits, dots and dashes');
    return { id, reference };
  });
  const keys = new Map<string, Uint8Array>();
  for (const { id, reference } of entries) {
    if (keys.has(id)) throw invalid(`each key once, got ${id} again`);
    keys.set(id, keyIn(await resolveSecret(reference), id));
  }
  return keyRing(entries[0]!.id, keys);
}

/**
 * A ring of AES-256-GCM keys (NIST SP 800-38D), each used with random nonces of 96 bits: for fewer than 2³² messages a key.
 *
 * @param current - the id of the key that seals
 */
export function keyRing(current: string, keys: ReadonlyMap<string, Uint8Array>): KeyRing {
  return {
    seal(plain) {
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv(algorithm, keys.get(current)!, nonce, { authTagLength: tagBytes });
      cipher.setAAD(boundTo(current));
      const bytes = Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
      return { keyId: current, bytes };
    },
    open({ keyId, bytes }) {
      const key = keys.get(keyId);
      if (key === undefined) {
        const known = [...keys.keys()].join(', ');
        throw new RefusedError(
          'payload-sealed',
          `expected the key of a payload among ${known}, got ${JSON.stringify(keyId.slice(0, 64))}`,
        );
      }
      try {
        const decipher = createDecipheriv(algorithm, key, bytes.subarray(0, nonceBytes), {
          authTagLength: tagBytes,
        });
        decipher.setAAD(boundTo(keyId));
        decipher.setAuthTag(bytes.subarray(-tagBytes));
        return Buffer.concat([decipher.update(bytes.subarray(nonceBytes, -tagBytes)), decipher.final()]);
      } catch (error) {
        throw new RefusedError('payload-tampered', `a payload is not what the key ${keyId} sealed`, [], {
          cause: error,
        });
      }
    },
  };
}

/** What is authenticated beside the bytes: the purpose, and the name of the key. */
function boundTo(keyId: string): Uint8Array {
  return createHash('sha256').update('assay payload v1\0').update(keyId).digest();
}

function keyIn(secret: string, id: string): Uint8Array {
  const text = secret.trim();
  if (/^[0-9a-f]{64}$/i.test(text)) return Buffer.from(text, 'hex');
  if (/^[A-Za-z0-9+/]{43}=?$/.test(text)) return Buffer.from(text, 'base64');
  throw invalid(`32 bytes for the key ${id}, in base64 or hex`);
}

function invalid(expected: string): RefusedError {
  return new RefusedError('payload-keys-invalid', `expected ${expected}`);
}
