import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { RefusedError } from '../../../../src/core/errors/index.js';
import { formatCheckpoint, parseCheckpoint } from '../../../../src/core/trust/audit/checkpoint.js';
import { noteSignature, noteSignedBy } from '../../../../src/core/trust/audit/note.js';
import {
  cosign,
  cosignedAt,
  formatNote,
  generateSigningKey,
  parseNote,
  readSigner,
} from '../../../../src/core/trust/index.js';

/** From the test of Go's golang.org/x/mod/sumdb/note, and the example of c2sp.org/signed-note. */
const published = [
  {
    content:
      "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n",
    name: 'PeterNeumann',
    keyId: 'c74f20a3',
  },
  {
    content:
      'This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n',
    name: 'example.com/foo',
    keyId: '530d903a',
  },
];

describe('a signed note', () => {
  it.each(published)(
    'of other tools is read as they do, and written as it was: $name',
    ({ content, name, keyId }) => {
      const note = parseNote(content);
      expect(note.signatures).toMatchObject([{ name, keyId }]);
      expect(note.signatures[0]!.signature).toHaveLength(64);
      expect(formatNote(note)).toBe(content);
    },
  );

  it('is signed by who signed it, under that name, as it stands', async () => {
    const [ours, other] = await Promise.all([generateSigningKey(), generateSigningKey()]);
    const text = 'log\n1\nroot\n';
    const note = { text, signatures: [await noteSignature(readSigner(ours.privateKey), 'log', text)] };
    const key = createPublicKey(ours.publicKey);
    expect(noteSignedBy(parseNote(formatNote(note)), 'log', key)).toBe(true);
    expect(noteSignedBy(note, 'other', key)).toBe(false);
    expect(noteSignedBy(note, 'log', createPublicKey(other.publicKey))).toBe(false);
    expect(noteSignedBy({ ...note, text: 'log\n2\nroot\n' }, 'log', key)).toBe(false);
    expect(noteSignedBy({ ...note, signatures: [...note.signatures, ...note.signatures] }, 'log', key)).toBe(
      false,
    );
  });

  it('is only ever refused in a typed way', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map((text) => `${text}\n\n— a AAAAAAA=\n`),
        ),
        (content) => {
          try {
            const note = parseNote(content);
            expect(formatNote(note)).toBe(content);
            parseCheckpoint(note.text);
          } catch (error) {
            expect(error).toBeInstanceOf(RefusedError);
          }
        },
      ),
    );
  });
});

describe('a checkpoint', () => {
  const text = 'example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n';

  it('is the one of c2sp.org/tlog-checkpoint', () => {
    expect(parseCheckpoint(text)).toMatchObject({ origin: 'example.com/behind-the-sofa', size: 20852163 });
    expect(formatCheckpoint(parseCheckpoint(text))).toBe(text);
  });

  it.each([
    ['a size with zeros before it', text.replace('208', '0208')],
    ['a size that no number here can hold', text.replace('20852163', '9007199254740993')],
    ['a line that nobody looks at', `${text}extra\n`],
    ['a root with spare bits', text.replace('2I=', '2J=')],
    ['no origin', text.replace('example.com/behind-the-sofa', '')],
  ])('is refused with %s', (_, content) => {
    expect(() => parseCheckpoint(content)).toThrow(expect.objectContaining({ code: 'note-invalid' }));
  });

  it('is cosigned for a moment, by a witness of that name and key, as it stands', () => {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const witness = { name: 'witness.example.com', publicKey };
    const time = new Date('2026-01-02T03:04:05.000Z');
    const note = { text, signatures: [cosign(text, witness, privateKey, time)] };
    expect(cosignedAt(parseNote(formatNote(note)), witness)).toEqual(time);
    expect(cosignedAt({ ...note, text: text.replace('208', '209') }, witness)).toBeUndefined();
    expect(cosignedAt(note, { ...witness, name: 'other' })).toBeUndefined();
    expect(cosignedAt(note, { ...witness, ...generateKeyPairSync('ed25519') })).toBeUndefined();
    const backdated = Buffer.from(note.signatures[0]!.signature);
    backdated.writeBigUInt64BE(1n);
    expect(
      cosignedAt({ text, signatures: [{ ...note.signatures[0]!, signature: backdated }] }, witness),
    ).toBeUndefined();
  });
});
