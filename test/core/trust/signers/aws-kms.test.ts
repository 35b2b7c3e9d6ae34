import {
  awsKmsSigner,
  createTrustPolicy,
  openEnvelope,
  signEnvelope,
} from '../../../../src/core/trust/index.js';
import { type KmsServer, startKms } from './kms-server.js';

const now = new Date('2026-01-02T03:04:05.000Z');
const type = 'application/vnd.in-toto+json';

const settingsFor = ({ endpoint }: KmsServer) => ({
  endpoint,
  region: 'eu-central-1',
  credentials: { accessKeyId: 'id', secretAccessKey: 'secret' },
  maxAttempts: 1,
});

describe('a key in AWS KMS', () => {
  let kms: KmsServer;
  afterEach(() => kms.close());

  it.each([
    ['P-256', 'ECDSA_SHA_256', 32],
    ['P-384', 'ECDSA_SHA_384', 48],
    ['P-521', 'ECDSA_SHA_512', 64],
  ])(
    'on %s signs what its public half verifies, and sees no more than a hash',
    async (curve, algorithm, bytes) => {
      kms = await startKms(curve);
      const signer = await awsKmsSigner('alias/assay', settingsFor(kms));
      const payload = Buffer.alloc(10_000, 'longer than KMS takes');
      const bundle = await signEnvelope(signer, type, payload);
      const policy = createTrustPolicy([{ publicKey: kms.publicKey }]);
      expect(openEnvelope(bundle, policy, now).payload).toEqual(payload);
      const { action, body } = kms.requests.at(-1)!;
      expect({ action, ...body }).toMatchObject({
        ...{ action: 'Sign', KeyId: 'alias/assay', MessageType: 'DIGEST', SigningAlgorithm: algorithm },
      });
      expect(Buffer.from(String(body.Message), 'base64')).toHaveLength(bytes);
    },
  );

  it('on another kind of curve is refused', async () => {
    kms = await startKms('secp256k1');
    await expect(awsKmsSigner('alias/assay', settingsFor(kms))).rejects.toMatchObject({
      code: 'key-invalid',
    });
  });

  it('that is gone or denied is a refusal, and one that does not answer a fault', async () => {
    kms = await startKms('P-256');
    const signer = await awsKmsSigner('alias/assay', settingsFor(kms));
    kms.fail('DisabledException', 400);
    await expect(signer.sign(Buffer.from('x'))).rejects.toMatchObject({ code: 'key-invalid' });
    kms.fail('AccessDeniedException', 400);
    await expect(signer.sign(Buffer.from('x'))).rejects.toMatchObject({ code: 'key-invalid' });
    kms.fail('KMSInternalException', 500);
    await expect(signer.sign(Buffer.from('x'))).rejects.toMatchObject({ name: 'TransientError' });
  });
});
