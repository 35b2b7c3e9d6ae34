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
  signRequest,
  statementRoles,
} from '../../src/core/trust/index.js';
import { assay } from '../cli/assay.js';

import { buildChain, cardFor, endpoint, now, releaseWith } from '../core/trust/chain-fixture.js';

const guide = readFileSync(path.resolve(__dirname, '../../docs/trust.md'), 'utf8');
/** What takes a server is tried with one: `test/integration/lifecycle.test.ts`. */
const alone = guide.replace(/^## Two people[\s\S]*?(?=^## )/m, '');
const commands = [...alone.matchAll(/^ {4}assay ([^#\n]+?) *(?:# refused: ([\w-]+))?$/gm)].map(
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
    const nextKey = () => readSigner(readFileSync(path.join(folder, 'next.pem'), 'utf8')).keyId;
    for (const { words, code } of rest) {
      const given = words.map((word) =>
        word.replace('$OLD_KEY', key).replace('$NEXT_KEY', nextKey).replace('$MODEL', model),
      );
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
  // The owner of the key asked for the run.
  const subject = await store.putBlob(
    Buffer.from(JSON.stringify({ lifecycle: { name: 'digits', release: { endpoint } } })),
  );
  const asked = await signRequest(
    signer,
    { action: 'run', endpoint, run: 'run-1', subject, reason: 'a run' },
    { now: new Date(), lifetimeMs: 60_000, nonce: '0'.repeat(32) },
  );
  const requests = [await store.putBlob(Buffer.from(asked))];
  const requestedBy = policy.people![0]!.name;
  const { verification } = chain.chain;
  const released = await releaseWith(chain, { chain: { verification }, record: { requests, requestedBy } });
  const verified = {
    digest: released,
    release: { ...chain.record, requests, requestedBy },
    card: cardFor(chain.snapshot),
    onnx: new Uint8Array(),
  };
  await attestBom(store, signer, policy, verified, now);
  await store.moveRef(`endpoints/${endpoint}`, undefined, { release: released, revision: 1 });
  return { model: chain.model, key: signer.keyId };
}
