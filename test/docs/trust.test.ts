import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { openStore } from '../../src/core/store/index.js';
import {
  attestBom,
  readSigner,
  readTrustPolicy,
  type Signer,
  type StatementRole,
  statementRoles,
} from '../../src/core/trust/index.js';
import { assay } from '../cli/assay.js';
import { buildChain, cardFor, endpoint, now } from '../core/trust/chain-fixture.js';

const guide = readFileSync(path.resolve(__dirname, '../../docs/trust.md'), 'utf8');
const commands = [...guide.matchAll(/^ {4}assay ([^#\n]+?) *(?:# refused: ([\w-]+))?$/gm)].map(
  ([, command, code]) => ({
    words: command!.match(/"[^"]*"|\S+/g)!.map((word) => word.replaceAll('"', '')),
    code,
  }),
);

describe('the guide to trust', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'assay-trust-guide-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('shows commands that do what it says, in this order', async () => {
    expect(commands.length).toBeGreaterThanOrEqual(21);
    const [init, ...rest] = commands;
    expect(await assay(folder, ...init!.words)).toMatchObject({ exit: 0, stderr: '' });
    const { model, key } = await release(path.join(folder, '.assay'));
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    writeFileSync(path.join(folder, 'witness.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
    writeFileSync(path.join(folder, 'witness.pub.pem'), publicKey.export({ type: 'spki', format: 'pem' }));
    for (const { words, code } of rest) {
      const given = words.map((word) => word.replace('$OLD_KEY', key).replace('$MODEL', model));
      const { exit, stderr, stdout } = await assay(folder, ...given);
      const shown =
        code === undefined ? { exit: 0, stderr: '' } : { exit: 3, stdout: expect.stringContaining(code) };
      expect([given.join(' '), { exit, stderr, stdout }]).toEqual([
        given.join(' '),
        expect.objectContaining(shown),
      ]);
    }
  });
});

/** A model that the key of the state folder vouches for, published on an endpoint. */
async function release(state: string): Promise<{ model: string; key: string }> {
  const signer = readSigner(readFileSync(path.join(state, 'keys', 'signing.pem'), 'utf8'));
  const policy = readTrustPolicy(readFileSync(path.join(state, 'trust.yaml'), 'utf8'));
  const store = await openStore(pathToFileURL(path.join(state, 'store')).href);
  const signers = Object.fromEntries(statementRoles.map((role) => [role, signer])) as Record<
    StatementRole,
    Signer
  >;
  const chain = await buildChain({ trust: { signers, policy }, place: { folder: state, store } });
  const verified = {
    digest: chain.release,
    release: chain.record,
    card: cardFor(chain.snapshot),
    onnx: new Uint8Array(),
  };
  await attestBom(store, signer, policy, verified, now);
  await store.moveRef(`endpoints/${endpoint}`, undefined, { release: chain.release, revision: 1 });
  return { model: chain.model, key: signer.keyId };
}
