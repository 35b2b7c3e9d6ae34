import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { digestOf } from '../../../src/core/store/index.js';
import {
  createTrustPolicy,
  generateSigningKey,
  readSigner,
  type SigningKey,
  signModel,
  verifyModelSignature,
} from '../../../src/core/trust/index.js';

/** A Python in which `model-signing` 1.1.1 and `pyOpenSSL` are installed. */
const python = process.env.ASSAY_MODEL_SIGNING_PYTHON;
const title = 'the OpenSSF reference tool';

const contents: Readonly<Record<string, string>> = {
  'model.onnx': 'graph',
  'model-card.json': '{"name":"digits"}',
  'metrics.json': '{"accuracy":1}',
};
const files = Object.entries(contents).map(([name, text]) => ({ path: name, digest: digestOf(text) }));
const model = { name: 'digits', files };

(python ? describe : describe.skip)(
  python ? title : `${title} (skipped: ASSAY_MODEL_SIGNING_PYTHON is not set)`,
  () => {
    let folder: string;
    let key: SigningKey;
    beforeAll(async () => {
      folder = await mkdtemp(path.join(tmpdir(), 'assay-interop-'));
      key = await generateSigningKey();
      await mkdir(path.join(folder, 'digits'));
      for (const [name, text] of Object.entries(contents)) {
        await writeFile(path.join(folder, 'digits', name), text);
      }
      await writeFile(path.join(folder, 'private.pem'), key.privateKey, { mode: 0o600 });
      await writeFile(path.join(folder, 'public.pem'), key.publicKey);
    });
    afterAll(() => rm(folder, { recursive: true, force: true }));

    const run = (config: string) =>
      spawnSync(python!, ['-c', `import model_signing\nmodel_signing.${config}`], {
        cwd: folder,
        encoding: 'utf8',
      });
    const verify = () =>
      run(
        "verifying.Config().use_elliptic_key_verifier(public_key='public.pem').verify('digits', 'digits.sig')",
      );

    it('verifies what we sign, and refuses it for another file', async () => {
      await writeFile(path.join(folder, 'digits.sig'), await signModel(readSigner(key.privateKey), model));
      expect(verify()).toMatchObject({ status: 0 });
      await writeFile(path.join(folder, 'digits', 'model.onnx'), 'grape');
      expect(verify()).toMatchObject({ status: 1, stderr: expect.stringContaining('model.onnx') });
      await writeFile(path.join(folder, 'digits', 'model.onnx'), contents['model.onnx']!);
    });

    it('signs what we verify', async () => {
      const signed = run(
        "signing.Config().use_elliptic_key_signer(private_key='private.pem').sign('digits', 'digits.sig')",
      );
      expect(signed).toMatchObject({ status: 0 });
      const bundle = await readFile(path.join(folder, 'digits.sig'));
      const policy = createTrustPolicy([{ publicKey: key.publicKey }]);
      verifyModelSignature(bundle, policy, model);
      expect(() => verifyModelSignature(bundle, policy, { ...model, files: files.slice(1) })).toThrow(
        expect.objectContaining({ code: 'model-mismatch' }),
      );
    });
  },
);
