import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import {
  certifiedSigner,
  createTrustPolicy,
  generateSigningKey,
  openEnvelope,
  readSigner,
  type Signer,
  signEnvelope,
  type TrustPolicy,
  trustPolicySchema,
} from '../../../../src/core/trust/index.js';

/** Made by `fixtures/certificates.py`. */
const fixture = JSON.parse(readFileSync(path.join(__dirname, '../fixtures/certificates.json'), 'utf8')) as {
  readonly privateKey: string;
  readonly root: string;
  readonly chain: string;
  readonly rsa: string;
  readonly bad: Readonly<Record<string, string>>;
  readonly unknown: Readonly<Record<string, string>>;
};
const now = new Date('2026-01-02T03:04:05.000Z');
const type = 'application/vnd.in-toto+json';
const payload = Buffer.from('{}');
const signer = readSigner(fixture.privateKey);

let policy: TrustPolicy;
beforeAll(async () => {
  const { keys } = createTrustPolicy([{ publicKey: (await generateSigningKey()).publicKey }]);
  policy = trustPolicySchema.parse({
    ...{ version: 1, keys },
    certificates: {
      roots: [fixture.root],
      identities: [{ subject: 'email:ada@example.com', roles: ['release'], endpoints: ['digits'] }],
    },
  });
});

const derOf = (pem: string) =>
  pem
    .split(/(?<=-----END CERTIFICATE-----\n)/)
    .map((one) => Buffer.from(one.replace(/-----.*-----|\n/g, ''), 'base64'))
    .filter(({ length }) => length > 0);
const openedWith = async (pem: string, by: Signer = signer) =>
  openEnvelope(await signEnvelope({ ...by, certificates: derOf(pem) }, type, payload), policy, now);

describe('a signer known by a certificate', () => {
  it('is believed as far as the policy goes for its identity', async () => {
    const bundle = await signEnvelope(certifiedSigner(signer, fixture.chain), type, payload);
    expect(openEnvelope(bundle, policy, now)).toEqual({
      payload,
      signer: expect.objectContaining({
        id: 'email:ada@example.com',
        roles: ['release'],
        endpoints: ['digits'],
      }),
    });
  });

  it('need not send the root, and may', async () => {
    expect(certifiedSigner(signer, fixture.chain + fixture.root).certificates).toHaveLength(2);
    expect((await openedWith(fixture.chain + fixture.root)).signer.id).toBe('email:ada@example.com');
  });

  it('cannot sign with a certificate of another key', async () => {
    const other = readSigner((await generateSigningKey()).privateKey);
    expect(() => certifiedSigner(other, fixture.chain)).toThrow(
      expect.objectContaining({ code: 'certificate-invalid' }),
    );
  });

  it.each(Object.keys(fixture.bad))('is refused with %s', async (name) => {
    await expect(openedWith(fixture.bad[name]!)).rejects.toMatchObject({ code: 'certificate-invalid' });
  });

  it.each(Object.keys(fixture.unknown))('is a stranger with %s', async (name) => {
    await expect(openedWith(fixture.unknown[name]!)).rejects.toMatchObject({ code: 'identity-unknown' });
  });

  it('is refused when another key signed under the certificate', async () => {
    const other = readSigner((await generateSigningKey()).privateKey);
    await expect(openedWith(fixture.chain, other)).rejects.toMatchObject({ code: 'signature-invalid' });
  });

  it('is refused with a key that signatures here are not made with', async () => {
    await expect(openedWith(fixture.rsa)).rejects.toMatchObject({ code: 'key-invalid' });
  });

  it('is a stranger where the policy knows keys alone', async () => {
    const { certificates: _, ...keysAlone } = policy;
    const bundle = await signEnvelope(certifiedSigner(signer, fixture.chain), type, payload);
    expect(() => openEnvelope(bundle, keysAlone, now)).toThrow(
      expect.objectContaining({ code: 'identity-unknown' }),
    );
  });

  it('is refused for bytes that are no certificate', async () => {
    const der = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({
      type: 'spki',
      format: 'der',
    });
    const bundle = await signEnvelope({ ...signer, certificates: [der] }, type, payload);
    expect(() => openEnvelope(bundle, policy, now)).toThrow(
      expect.objectContaining({ code: 'certificate-invalid' }),
    );
  });
});
