import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { openStore, type Store } from '../../src/core/store/index.js';
import {
  createTrustPolicy,
  generateSigningKey,
  readSigner,
  type Signer,
  signSuccessor,
  type TrustPolicy,
  trustPolicySchema,
  writeTrustPolicy,
} from '../../src/core/trust/index.js';
import { believedPolicy } from '../../src/gateway/believed-policy.js';

const now = new Date('2026-01-02T03:04:05.000Z');

let folder: string;
let store: Store;
let empty: Store;
let signer: Signer;
let pinned: TrustPolicy;
let file: string;
let memory: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'assay-believed-'));
  await mkdir(path.join(folder, 'store'));
  await mkdir(path.join(folder, 'empty'));
  [store, empty] = (await Promise.all(
    ['store', 'empty'].map((name) => openStore(pathToFileURL(path.join(folder, name)).href)),
  )) as [Store, Store];
  const key = await generateSigningKey();
  signer = readSigner(key.privateKey);
  pinned = createTrustPolicy([{ publicKey: key.publicKey }]);
  [file, memory] = [path.join(folder, 'trust.yaml'), path.join(folder, 'marks.json.trust')];
  await writeFile(file, writeTrustPolicy(pinned));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function publishSuccessor(): Promise<TrustPolicy> {
  const successor = trustPolicySchema.parse({
    ...pinned,
    revision: 2,
    endpoints: { digits: { approval: true } },
  });
  await signSuccessor(store, signer, pinned, successor, now);
  return successor;
}

describe('a gateway', () => {
  it('follows its policy to signed successors without a restart', async () => {
    expect(await believedPolicy(store, file, memory, now)).toEqual(pinned);
    const successor = await publishSuccessor();
    expect(await believedPolicy(store, file, memory, now)).toEqual(successor);
  });

  it('does not go back when the store has lost what it followed, or hides it', async () => {
    const successor = await publishSuccessor();
    await believedPolicy(store, file, memory, now);
    expect(await believedPolicy(empty, file, memory, now)).toEqual(successor);
    expect(await believedPolicy(empty, file, undefined, now)).toEqual(pinned);
  });

  it('starts anew from a file that its operator changed, whatever it remembers', async () => {
    await publishSuccessor();
    await believedPolicy(store, file, memory, now);
    const emergency = {
      ...pinned,
      keys: createTrustPolicy([{ publicKey: (await generateSigningKey()).publicKey }]).keys,
    };
    await writeFile(file, writeTrustPolicy(emergency));
    expect(await believedPolicy(store, file, memory, now)).toEqual(emergency);
  });

  it('stops rather than guess what a spoilt memory held', async () => {
    await writeFile(memory, '{"pinned":');
    await expect(believedPolicy(store, file, memory, now)).rejects.toThrow(SyntaxError);
  });
});
