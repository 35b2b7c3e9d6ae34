import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { RefusedError } from '../../errors/index.js';
import { signatureHolds } from '../keys.js';
import type { Signer } from '../signers/signer.js';

/*
 * Signed notes (c2sp.org/signed-note): a text, an empty line, and one line a signature, so that what was signed is read by
 * people and by the witnesses and monitors of other logs.
 */

export interface NoteSignature {
  /** Who says to have signed; whoever holds the key may write any name. */
  readonly name: string;
  /** First bytes of a hash that tells keys apart, hex. */
  readonly keyId: string;
  readonly signature: Uint8Array;
}

export interface Note {
  /** Ends with a newline. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

const name = /^[^\s+]+$/u;
const line = /^\u2014 ([^\s+]+) ([A-Za-z0-9+/]+={0,2})$/u;

/** @throws RefusedError `note-invalid` */
export function parseNote(content: string): Note {
  const end = content.lastIndexOf('\n\n');
  const lines = content.slice(end + 2).split('\n');
  // Go's reader, after which the format was written, stops at 100 as well.
  if (end < 0 || lines.pop() !== '' || lines.length === 0 || lines.length > 100) {
    throw new RefusedError(
      'note-invalid',
      'expected a text, an empty line and signatures, got something else',
    );
  }
  const signatures = lines.map((text) => {
    const [, signer, encoded] = line.exec(text) ?? [];
    const bytes = Buffer.from(encoded ?? '', 'base64');
    if (!signer || bytes.length < 5 || bytes.toString('base64') !== encoded) {
      throw new RefusedError(
        'note-invalid',
        `expected a line with a signature, got ${JSON.stringify(text.slice(0, 100))}`,
      );
    }
    return { name: signer, keyId: bytes.subarray(0, 4).toString('hex'), signature: bytes.subarray(4) };
  });
  return { text: content.slice(0, end + 1), signatures };
}

/** @throws TypeError for a name that a note cannot hold */
export function formatNote({ text, signatures }: Note): string {
  const lines = signatures.map(({ name: signer, keyId, signature }) => {
    if (!name.test(signer))
      throw new TypeError(`expected a name without spaces and plus signs, got ${signer}`);
    const bytes = Buffer.concat([Buffer.from(keyId, 'hex'), signature]);
    return `\u2014 ${signer} ${bytes.toString('base64')}\n`;
  });
  return `${text}\n${lines.join('')}`;
}

/** Signs a note's text with one of our keys (signature type 0x02, ECDSA; P-256 is what other tools read). */
export async function noteSignature(signer: Signer, as: string, text: string): Promise<NoteSignature> {
  return {
    name: as,
    keyId: noteKeyId(createPublicKey(signer.publicKey)),
    signature: await signer.sign(Buffer.from(text)),
  };
}

/** Whether a key signed a note under a name. A bad signature under the key's own id is none. */
export function noteSignedBy({ text, signatures }: Note, as: string, key: KeyObject): boolean {
  const id = noteKeyId(key);
  const found = signatures.filter((signature) => signature.name === as && signature.keyId === id);
  return found.length === 1 && signatureHolds(key, Buffer.from(text), found[0]!.signature);
}

/** For ECDSA, the hash of the key alone. */
function noteKeyId(key: KeyObject): string {
  return createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('hex')
    .slice(0, 8);
}
