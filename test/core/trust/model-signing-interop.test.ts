import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { digestOf, openStore } from '../../../src/core/store/index.js';
import {
  certifiedSigner,
  createTrustPolicy,
  curves,
  generateSigningKey,
  readSigner,
  type Signer,
  signModel,
  type TrustPolicy,
  trustPolicySchema,
  verifyModelSignature,
} from '../../../src/core/trust/index.js';

/** A Python in which `model-signing` 1.1.1 and `pyOpenSSL` are installed. */
const python = process.env.ASSAY_MODEL_SIGNING_PYTHON;
const title = 'the OpenSSF reference tool';

const now = new Date('2026-01-02T03:04:05.000Z');
const certificates = JSON.parse(readFileSync(path.join(__dirname, 'fixtures/certificates.json'), 'utf8')) as {
  readonly privateKey: string;
  readonly root: string;
  readonly chain: string;
};

/** A way to sign: by our code, and by the tool's, with what both need to verify. */
interface Means {
  readonly signer: Signer;
  readonly policy: TrustPolicy;
  readonly files: Readonly<Record<string, string>>;
  readonly sign: string;
  readonly verify: string;
}

async function keyOn(curve: (typeof curves)[number]): Promise<Means> {
  const { privateKey, publicKey } = await generateSigningKey(undefined, curve);
  return {
    signer: readSigner(privateKey),
    policy: createTrustPolicy([{ publicKey }]),
    files: { 'private.pem': privateKey, 'public.pem': publicKey },
    sign: "use_elliptic_key_signer(private_key='private.pem')",
    verify: "use_elliptic_key_verifier(public_key='public.pem')",
  };
}

async function certificate(): Promise<Means> {
  const { privateKey, root, chain } = certificates;
  const [leaf = '', middle = ''] = chain.split(/(?<=-----END CERTIFICATE-----\n)/);
  const { keys } = createTrustPolicy([{ publicKey: (await generateSigningKey()).publicKey }]);
  const identities = [{ subject: 'email:ada@example.com', roles: ['model'] }];
  return {
    signer: certifiedSigner(readSigner(privateKey), chain),
    policy: trustPolicySchema.parse({ version: 1, keys, certificates: { roots: [root], identities } }),
    files: { 'private.pem': privateKey, 'leaf.pem': leaf, 'middle.pem': middle, 'root.pem': root },
    sign: "use_certificate_signer(private_key='private.pem', signing_certificate='leaf.pem', certificate_chain=['middle.pem'])",
    verify: "use_certificate_verifier(certificate_chain=['root.pem'])",
  };
}

const folders: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'one file': { 'model.onnx': 'graph' },
  'a folder': { 'model.onnx': 'graph', 'model-card.json': '{}', 'weights/0/a.bin': 'a', 'weights/b.bin': '' },
  'odd names': {
    'ä b.onnx': 'graph',
    "it's": 'quoted',
    '\u{1f600}': 'beyond the basic plane',
    '～': 'before it',
    'a+b%20c': '',
    '.hidden': 'x',
  },
};

const means: Readonly<Record<string, () => Promise<Means>>> = {
  ...Object.fromEntries(curves.map((curve) => [`a key on ${curve}`, () => keyOn(curve)])),
  'a certificate': certificate,
};
const cases = Object.keys(means).flatMap((by) =>
  Object.keys(folders).map((content) => [by, content] as const),
);

(python ? describe : describe.skip)(
  python ? title : `${title} (skipped: ASSAY_MODEL_SIGNING_PYTHON is not set)`,
  () => {
    let folder: string;
    beforeEach(async () => {
      folder = await mkdtemp(path.join(tmpdir(), 'assay-interop-'));
    });
    afterEach(() => rm(folder, { recursive: true, force: true }));

    async function write(files: Readonly<Record<string, string>>): Promise<void> {
      for (const [name, text] of Object.entries(files)) {
        await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
        await writeFile(path.join(folder, name), text);
      }
    }
    const run = (config: string) =>
      spawnSync(python!, ['-c', `import model_signing\nmodel_signing.${config}`], {
        cwd: folder,
        encoding: 'utf8',
      });
    const inDigits = (files: Readonly<Record<string, string>>) =>
      Object.fromEntries(Object.entries(files).map(([name, text]) => [`digits/${name}`, text]));
    const modelOf = (files: Readonly<Record<string, string>>) => ({
      name: 'digits',
      files: Object.entries(files).map(([name, text]) => ({ path: name, digest: digestOf(text) })),
    });

    it.each(cases)('agrees about signatures by %s over %s, both ways', async (by, content) => {
      const { signer, policy, files, sign, verify } = await means[by]!();
      const contents = folders[content]!;
      await write({ ...files, ...inDigits(contents) });
      await writeFile(path.join(folder, 'ours.sig'), await signModel(signer, modelOf(contents)));
      const verifyOurs = () => run(`verifying.Config().${verify}.verify('digits', 'ours.sig')`);
      expect(verifyOurs()).toMatchObject({ status: 0 });
      expect(run(`signing.Config().${sign}.sign('digits', 'theirs.sig')`)).toMatchObject({ status: 0 });
      const theirs = await readFile(path.join(folder, 'theirs.sig'));
      verifyModelSignature(theirs, policy, modelOf(contents), now);

      // One file more, and both refuse both.
      await write({ 'digits/extra': '' });
      expect(verifyOurs()).toMatchObject({ status: 1, stderr: expect.stringContaining('extra') });
      expect(() => verifyModelSignature(theirs, policy, modelOf({ ...contents, extra: '' }), now)).toThrow(
        expect.objectContaining({ code: 'model-mismatch' }),
      );
    });

    it('refuses a link in a folder, as the store does before anything is signed', async () => {
      const { files, sign } = await keyOn('P-256');
      await write({ ...files, 'digits/model.onnx': 'graph', secret: 'x' });
      await symlink('../secret', path.join(folder, 'digits', 'link'));
      expect(run(`signing.Config().${sign}.sign('digits', 'theirs.sig')`)).toMatchObject({ status: 1 });
      await mkdir(path.join(folder, 'store'));
      const store = await openStore(pathToFileURL(path.join(folder, 'store')).href);
      await expect(store.putTree(path.join(folder, 'digits'))).rejects.toMatchObject({
        code: 'tree-invalid',
      });
    });
  },
);
