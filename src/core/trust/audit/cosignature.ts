import { createHash, type KeyObject, sign, verify } from 'node:crypto';
import type { Note, NoteSignature } from './note.js';

/*
 * Cosignatures of witnesses (c2sp.org/tlog-cosignature, Ed25519): at that time this was the largest tree of this log that the
 * witness had seen, and it went on from every one that it had seen before. A log that shows some people one history and others
 * another needs its witnesses' help.
 */

/** A witness as others know it. */
export interface Witness {
  readonly name: string;
  /** Ed25519, public half. */
  readonly publicKey: KeyObject;
}

/** @param time - when, to the second */
export function cosign(text: string, witness: Witness, privateKey: KeyObject, time: Date): NoteSignature {
  const seconds = Math.floor(time.getTime() / 1000);
  const stamp = Buffer.alloc(8);
  stamp.writeBigUInt64BE(BigInt(seconds));
  const signature = sign(null, messageOf(text, BigInt(seconds)), privateKey);
  return { name: witness.name, keyId: keyIdOf(witness), signature: Buffer.concat([stamp, signature]) };
}

/** When a witness cosigned a checkpoint; undefined where it did not. */
export function cosignedAt({ text, signatures }: Note, witness: Witness): Date | undefined {
  const id = keyIdOf(witness);
  for (const { name, keyId, signature } of signatures) {
    if (name !== witness.name || keyId !== id || signature.length !== 72) continue;
    const bytes = Buffer.from(signature);
    const seconds = bytes.readBigUInt64BE();
    if (verify(null, messageOf(text, seconds), witness.publicKey, bytes.subarray(8))) {
      return new Date(Number(seconds) * 1000);
    }
  }
  return undefined;
}

function messageOf(text: string, seconds: bigint): Buffer {
  return Buffer.from(`cosignature/v1\ntime ${seconds}\n${text}`);
}

/** Signature type 0x04. */
function keyIdOf({ name, publicKey }: Witness): string {
  const raw = Buffer.from(publicKey.export({ format: 'jwk' }).x!, 'base64url');
  const hash = createHash('sha256').update(`${name}\n`).update(Uint8Array.of(4)).update(raw);
  return hash.digest('hex').slice(0, 8);
}
