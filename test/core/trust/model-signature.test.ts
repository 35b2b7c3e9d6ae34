import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { canonicalJson, digestOf } from '../../../src/core/store/index.js';
import {
  createTrustPolicy,
  generateSigningKey,
  type ModelFolder,
  openEnvelope,
  readSigner,
  type Signer,
  signEnvelope,
  signModel,
  type TrustPolicy,
  verifyModelSignature,
} from '../../../src/core/trust/index.js';

const folder: ModelFolder = {
  name: 'digits',
  files: ['model.onnx', 'model-card.json', 'metrics.json'].map((path) => ({ path, digest: digestOf(path) })),
};

const now = new Date('2026-01-02T03:04:05.000Z');
let signer: Signer;
let policy: TrustPolicy;
beforeAll(async () => {
  const key = await generateSigningKey();
  signer = readSigner(key.privateKey);
  policy = createTrustPolicy([{ publicKey: key.publicKey, roles: ['model'] }]);
});

interface Statement {
  subject: { name: string; digest: { sha256: string } }[];
  predicate: {
    serialization: Record<string, unknown>;
    resources: { name: string; algorithm: string; digest: string }[];
  };
}

const read = (bundle: Uint8Array) =>
  JSON.parse(Buffer.from(openEnvelope(bundle, policy, now).payload).toString()) as Statement;

/** Signs the folder's statement after a change, by the right key and with a root that fits unless told otherwise. */
async function signedAfter(change: (statement: Statement) => void): Promise<Uint8Array> {
  const statement = read(await signModel(signer, folder));
  change(statement);
  return signEnvelope(signer, 'application/vnd.in-toto+json', Buffer.from(canonicalJson(statement)));
}

function fitRoot({ subject, predicate }: Statement): void {
  const hash = createHash('sha256');
  for (const { digest } of predicate.resources) hash.update(Buffer.from(digest, 'hex'));
  subject[0]!.digest.sha256 = hash.digest('hex');
}

describe('a model signature', () => {
  it('lists every file by code points under a root of raw digests, as OpenSSF Model Signing v1.0 says', async () => {
    const statement = read(await signModel(signer, folder));
    const names = ['metrics.json', 'model-card.json', 'model.onnx'];
    const raw = names.map((name) => createHash('sha256').update(name).digest());
    expect(statement).toEqual({
      _type: 'https://in-toto.io/Statement/v1',
      subject: [
        { name: 'digits', digest: { sha256: createHash('sha256').update(Buffer.concat(raw)).digest('hex') } },
      ],
      predicateType: 'https://model_signing/signature/v1.0',
      predicate: {
        serialization: { method: 'files', hash_type: 'sha256', allow_symlinks: false, ignore_paths: [] },
        resources: names.map((name, index) => ({
          name,
          algorithm: 'sha256',
          digest: raw[index]!.toString('hex'),
        })),
      },
    });
  });

  it('sorts beyond the basic plane by code points, where UTF-16 order differs', async () => {
    const files = ['\uff5e', '\u{1f600}', 'a'].map((path) => ({ path, digest: digestOf(path) }));
    const { predicate } = read(await signModel(signer, { name: 'emoji', files }));
    expect(predicate.resources.map(({ name }) => name)).toEqual(['a', '\uff5e', '\u{1f600}']);
  });

  it('verifies whatever the order of the files, and in the order of another tool', async () => {
    verifyModelSignature(
      await signModel(signer, folder),
      policy,
      {
        ...folder,
        files: [...folder.files].reverse(),
      },
      now,
    );
    const reordered = await signedAfter((statement) => {
      statement.predicate.resources.reverse();
      fitRoot(statement);
    });
    verifyModelSignature(reordered, policy, folder, now);
  });

  it('verifies with the ignored git files that the reference tool writes', async () => {
    const bundle = await signedAfter(({ predicate }) => {
      predicate.serialization.ignore_paths = ['.git', '.gitattributes', '.gitignore', '.github'];
    });
    verifyModelSignature(bundle, policy, folder, now);
  });

  it('excuses no file, though it be ignored', async () => {
    const bundle = await signedAfter(({ predicate }) => {
      predicate.serialization.ignore_paths = ['.gitignore'];
    });
    const extra = { ...folder, files: [...folder.files, { path: '.gitignore', digest: digestOf('x') }] };
    expect(() => verifyModelSignature(bundle, policy, extra, now)).toThrow(
      expect.objectContaining({ code: 'model-mismatch' }),
    );
  });

  const resource = (name: string) => ({ name, algorithm: 'sha256', digest: '0'.repeat(64) });
  it.each<[string, (statement: Statement) => void]>([
    ['no resources', (s) => s.predicate.resources.splice(0)],
    [
      'a folder of ignored files',
      (s) => {
        s.predicate.serialization.ignore_paths = ['.'];
      },
    ],
    [
      'an ignored model',
      (s) => {
        s.predicate.serialization.ignore_paths = ['model.onnx'];
      },
    ],
    [
      'followed links',
      (s) => {
        s.predicate.serialization.allow_symlinks = true;
      },
    ],
    [
      'shards',
      (s) => {
        s.predicate.serialization.method = 'shards';
      },
    ],
    [
      'another hash',
      (s) => {
        s.predicate.serialization.hash_type = 'blake2b';
      },
    ],
    [
      'a resource of another hash',
      (s) => {
        s.predicate.resources[0]!.algorithm = 'blake2b';
      },
    ],
    [
      'an unknown field',
      (s) => {
        Object.assign(s.predicate, { gates: 'passed' });
      },
    ],
    ['a duplicate resource', (s) => s.predicate.resources.push(s.predicate.resources[0]!)],
    ['a name that climbs', (s) => s.predicate.resources.push(resource('../etc/passwd'))],
    ['a name that climbs inside', (s) => s.predicate.resources.push(resource('a/../b'))],
    ['an absolute name', (s) => s.predicate.resources.push(resource('/etc/passwd'))],
    ['an empty name', (s) => s.predicate.resources.push(resource(''))],
    ['a name with a backslash', (s) => s.predicate.resources.push(resource('a\\b'))],
    ['a name that was not UTF-8', (s) => s.predicate.resources.push(resource('a\ufffd'))],
  ])('is refused with %s, though the key is right', async (_, change) => {
    const bundle = await signedAfter((statement) => {
      change(statement);
      fitRoot(statement);
    });
    expect(() => verifyModelSignature(bundle, policy, folder, now)).toThrow(
      expect.objectContaining({ code: 'statement-invalid' }),
    );
  });

  it('is refused when its root is not of its resources', async () => {
    const bundle = await signedAfter(({ subject }) => {
      subject[0]!.digest.sha256 = '0'.repeat(64);
    });
    expect(() => verifyModelSignature(bundle, policy, folder, now)).toThrow(
      expect.objectContaining({ code: 'model-mismatch' }),
    );
  });

  it('names every file that differs, is missing, or was added', async () => {
    const bundle = await signModel(signer, folder);
    const files = [
      { path: 'model.onnx', digest: digestOf('swapped') },
      { path: 'model-card.json', digest: digestOf('model-card.json') },
      { path: 'evil.so', digest: digestOf('evil') },
    ];
    expect(() => verifyModelSignature(bundle, policy, { name: 'digits', files }, now)).toThrow(
      expect.objectContaining({
        details: [
          expect.stringContaining('"model.onnx"'),
          expect.stringContaining('"evil.so" to be absent'),
          expect.stringContaining('"metrics.json", got no such file'),
        ],
      }),
    );
  });

  it('is refused for two files that changed places', async () => {
    const bundle = await signModel(signer, folder);
    const [first, second, third] = folder.files;
    const files = [{ ...first!, digest: second!.digest }, { ...second!, digest: first!.digest }, third!];
    expect(() => verifyModelSignature(bundle, policy, { ...folder, files }, now)).toThrow(
      expect.objectContaining({ code: 'model-mismatch' }),
    );
  });

  it('verifies for any folder of plain names, and for no other folder', async () => {
    const name = fc.stringMatching(/^[a-z0-9._-]{1,8}$/).filter((text) => text !== '.' && text !== '..');
    const files = fc.uniqueArray(fc.tuple(name, fc.string()), {
      minLength: 1,
      maxLength: 6,
      selector: ([path]) => path,
    });
    await fc.assert(
      fc.asyncProperty(files, fc.nat(), async (pairs, choice) => {
        const any = { name: 'any', files: pairs.map(([path, text]) => ({ path, digest: digestOf(text) })) };
        const bundle = await signModel(signer, any);
        verifyModelSignature(bundle, policy, any, now);
        const without = any.files.filter((_, index) => index !== choice % any.files.length);
        expect(() => verifyModelSignature(bundle, policy, { ...any, files: without }, now)).toThrow(
          expect.objectContaining({ code: 'model-mismatch' }),
        );
      }),
      { numRuns: 50 },
    );
  });
});
