import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { keyRing, readKeyRing } from '../../../src/core/secrets/index.js';

const [older, newer] = [randomBytes(32), randomBytes(32)];
const before = keyRing('older', new Map([['older', older]]));
const after = keyRing(
  'newer',
  new Map([
    ['newer', newer],
    ['older', older],
  ]),
);

describe('a ring of keys', () => {
  it('opens what any of its keys sealed, and seals with the current one, never twice the same', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (plain) => {
        for (const sealed of [before.seal(plain), after.seal(plain)])
          expect(Buffer.from(after.open(sealed))).toEqual(Buffer.from(plain));
        expect(after.seal(plain).keyId).toBe('newer');
        expect(Buffer.from(after.seal(plain).bytes)).not.toEqual(Buffer.from(after.seal(plain).bytes));
      }),
    );
  });

  it('refuses what was changed in any byte, cut, or put under another key', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 40 }),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (plain, at, flip) => {
          const { keyId, bytes } = after.seal(plain);
          const changed = Uint8Array.from(bytes);
          changed[at % changed.length]! ^= flip;
          const cut = bytes.subarray(0, at % bytes.length);
          for (const wrong of [
            { keyId, bytes: changed },
            { keyId, bytes: cut },
            { keyId: 'older', bytes },
          ])
            expect(() => after.open(wrong)).toThrow(expect.objectContaining({ code: 'payload-tampered' }));
        },
      ),
    );
  });

  it('holds a key to its name, even where two names have one key', () => {
    const twins = keyRing(
      'a',
      new Map([
        ['a', older],
        ['b', older],
      ]),
    );
    const { bytes } = twins.seal(Buffer.from('secret'));
    expect(() => twins.open({ keyId: 'b', bytes })).toThrow(
      expect.objectContaining({ code: 'payload-tampered' }),
    );
  });

  it('names the key that it lacks', () => {
    expect(() => before.open(after.seal(Buffer.from('x')))).toThrow(/among older, got "newer"/);
  });

  it('is read from references, of which the first seals', async () => {
    process.env.TEST_KEY_A = newer.toString('hex');
    process.env.TEST_KEY_B = older.toString('base64');
    const read = await readKeyRing('newer=env:TEST_KEY_A, older=env:TEST_KEY_B');
    expect(Buffer.from(after.open(read.seal(Buffer.from('x')))).toString()).toBe('x');
    expect(Buffer.from(read.open(before.seal(Buffer.from('y')))).toString()).toBe('y');
  });

  it.each([
    ['a key in place of a reference', older.toString('base64'), 'payload-keys-invalid'],
    ['one id twice', 'a=env:TEST_KEY_A,a=env:TEST_KEY_A', 'payload-keys-invalid'],
    ['a secret of another length', 'a=env:TEST_KEY_SHORT', 'payload-keys-invalid'],
    ['a secret with letters that base64 has not', 'a=env:TEST_KEY_TYPO', 'payload-keys-invalid'],
    ['a place without a secret', 'a=env:TEST_KEY_NOWHERE', 'secret-missing'],
  ])('is refused for %s, and nothing of a secret is told', async (_, text, code) => {
    process.env.TEST_KEY_SHORT = 'c2hvcnQ=';
    process.env.TEST_KEY_TYPO = `*${older.toString('base64').slice(1)}`;
    const error = (await readKeyRing(text).catch((thrown: unknown) => thrown)) as Error & { code: string };
    expect(error.code).toBe(code);
    expect(error.message).not.toContain(older.toString('base64').slice(0, 8));
  });
});
