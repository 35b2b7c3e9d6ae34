import { generateKeyPairSync, type KeyPairKeyObjectResult, verify } from 'node:crypto';
import { generateSigningKey, keyIdOf, readSigner } from '../../../src/core/trust/index.js';
import { readPublicKey, signatureHolds } from '../../../src/core/trust/keys.js';

/** The PEM texts of a pair of any kind, made by Node and not by the code under test. */
function pemOf({ publicKey, privateKey }: KeyPairKeyObjectResult) {
  return {
    publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

const message = Buffer.from('message');

describe('signing keys', () => {
  it('sign what their public half verifies, and nothing else', async () => {
    const key = await generateSigningKey();
    const signature = await readSigner(key.privateKey).sign(message);
    const other = readPublicKey((await generateSigningKey()).publicKey);
    expect(signatureHolds(readPublicKey(key.publicKey), message, signature)).toBe(true);
    expect(signatureHolds(readPublicKey(key.publicKey), Buffer.from('massage'), signature)).toBe(false);
    expect(signatureHolds(other, message, signature)).toBe(false);
    expect(key.privateKey).toMatch(/^-----BEGIN PRIVATE KEY-----/);
  });

  it.each([
    ['P-256', 'sha256'],
    ['P-384', 'sha384'],
    ['P-521', 'sha512'],
  ])('on %s use %s', async (namedCurve, hash) => {
    const { publicKey, privateKey } = pemOf(generateKeyPairSync('ec', { namedCurve }));
    const signature = await readSigner(privateKey).sign(message);
    expect(verify(hash, message, publicKey, signature)).toBe(true);
    expect(signatureHolds(readPublicKey(publicKey), message, signature)).toBe(true);
  });

  it('are encrypted under a passphrase, and open with that one alone', async () => {
    const { keyId, privateKey } = await generateSigningKey('correct horse', 'P-384');
    expect(privateKey).toMatch(/^-----BEGIN ENCRYPTED PRIVATE KEY-----/);
    expect(readSigner(privateKey, 'correct horse').keyId).toBe(keyId);
    for (const passphrase of [undefined, '', 'incorrect horse']) {
      expect(() => readSigner(privateKey, passphrase)).toThrow(
        expect.objectContaining({ code: 'key-locked' }),
      );
    }
  });

  it('have the id of OpenSSL’s text, whatever line ends a file has', () => {
    const text = [
      '-----BEGIN PUBLIC KEY-----',
      'MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEkrxPPWJGsWWCZn67oH65H2eA/Ojf',
      'i7WBAeVP0dC6+0xNqro6PVi//P9qmScBVhnT9gufZPmhaU3ZrVEygtYnGQ==',
      '-----END PUBLIC KEY-----',
    ];
    // sha256sum of the text as `openssl ec -pubout` writes it.
    const expected = '80d2984581280c3d86d64224bd9f035b0f8911ec1a72d6e43db484e5c8e7e2d4';
    expect(keyIdOf(`${text.join('\n')}\n`)).toBe(expected);
    expect(keyIdOf(text.join('\r\n'))).toBe(expected);
  });

  it.each<[string, () => string]>([
    ['RSA', () => pemOf(generateKeyPairSync('rsa', { modulusLength: 2048 })).privateKey],
    ['Ed25519', () => pemOf(generateKeyPairSync('ed25519')).privateKey],
    ['secp256k1', () => pemOf(generateKeyPairSync('ec', { namedCurve: 'secp256k1' })).privateKey],
    ['no key', () => 'hunter2'],
    ['a public key', () => pemOf(generateKeyPairSync('ec', { namedCurve: 'P-256' })).publicKey],
  ])('are refused when they are %s, without a word of their text', (_, make) => {
    const text = make();
    let refusal: unknown;
    try {
      readSigner(text);
    } catch (error) {
      refusal = error;
    }
    expect(refusal).toMatchObject({ code: 'key-invalid' });
    expect(String((refusal as Error).stack)).not.toContain(text.split('\n')[1] ?? text);
  });

  it('are refused where a public key belongs', async () => {
    const { privateKey } = await generateSigningKey();
    expect(() => keyIdOf(privateKey)).toThrow(expect.objectContaining({ code: 'key-invalid' }));
  });
});
