import { spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { digestOf, openStore, type RefVersion, type Store } from '../../../../src/core/store/index.js';
import { rootOf } from '../../../../src/core/trust/audit/merkle.js';
import {
  type AuditEntry,
  appendDecision,
  createTrustPolicy,
  generateSigningKey,
  proofHolds,
  proveEntry,
  readLog,
  readSigner,
  type Signer,
  type SigningKey,
  type TrustPolicy,
  tilesOf,
  verifyLog,
  witnessLog,
  writeTrustPolicy,
} from '../../../../src/core/trust/index.js';

const now = new Date('2026-01-02T03:04:05.000Z');
const entry = (reason: string, changes: Partial<AuditEntry> = {}): AuditEntry => ({
  ...{ version: 1, decision: 'approved', by: 'ada', reason, at: now.toISOString() },
  ...changes,
});

let folder: string;
let store: Store;
let key: SigningKey;
let signer: Signer;
let policy: TrustPolicy;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'assay-audit-'));
  await mkdir(path.join(folder, 'store'));
  store = await openStore(pathToFileURL(path.join(folder, 'store')).href);
  key = await generateSigningKey();
  signer = readSigner(key.privateKey);
  policy = createTrustPolicy([{ publicKey: key.publicKey, roles: ['audit'] }]);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const append = (reason: string, into = store) => appendDecision(into, signer, policy, entry(reason));
const codes = async (of = store, known = {}) =>
  (await verifyLog(of, policy, known)).failures.map(({ code }) => code);

/** The same store, with another log in it. */
function storeWithLog(versions: readonly unknown[]): Store {
  const log = versions.map(
    (value, index): RefVersion => ({ sequence: index + 1, nonce: '0'.repeat(32), value }),
  );
  return {
    ...store,
    readRef: async (name) => (name === 'audit/log' ? log.at(-1) : store.readRef(name)),
    async *refHistory(name) {
      if (name === 'audit/log') yield* [...log].reverse();
      else yield* store.refHistory(name);
    },
  };
}
async function versions(): Promise<readonly { entry: AuditEntry; peaks: string[]; checkpoint: string }[]> {
  const found: { entry: AuditEntry; peaks: string[]; checkpoint: string }[] = [];
  for await (const { value } of store.refHistory('audit/log')) found.unshift(value as (typeof found)[number]);
  return found;
}

describe('the audit log', () => {
  it('holds what was appended, in order, under checkpoints that verify', async () => {
    for (const [index, reason] of ['a', 'b', 'c', 'd', 'e'].entries())
      expect(await append(reason)).toBe(index);
    const { entries, failures } = await verifyLog(store, policy);
    expect(failures).toEqual([]);
    expect(entries.map(({ entry: { reason } }) => reason).join('')).toBe('abcde');
  });

  it('takes an equal entry once, however often it is asked, and whatever came in between', async () => {
    for (const reason of ['a', 'b', 'a', 'c', 'b', 'a']) await append(reason);
    expect((await readLog(store)).map(({ entry: { reason } }) => reason)).toEqual(['a', 'b', 'c']);
  });

  it('loses nothing to writers in several processes, one of whom is killed again and again', async () => {
    const [keyFile, trustFile] = [path.join(folder, 'key.pem'), path.join(folder, 'trust.yaml')];
    await writeFile(keyFile, key.privateKey, { mode: 0o600 });
    await writeFile(trustFile, writeTrustPolicy(policy));
    const start = (name: string, count: number) =>
      spawn(process.execPath, [
        path.join(__dirname, 'appender.js'),
        store.url,
        keyFile,
        trustFile,
        name,
        String(count),
      ]);
    const steady = ['ada', 'grace'].map((name) => start(name, 15));
    let told = 0;
    for (let kill = 1; kill <= 3; kill++) {
      const killed = start('edsger', 15);
      const ended = once(killed, 'exit');
      // In the midst of its work, wherever that is: after it told of one more entry than before.
      killed.stdout.on('data', (chunk: Buffer) => {
        told = Math.max(told, ...chunk.toString().trim().split('\n').map(Number));
        if (told >= 3 * kill) killed.kill('SIGKILL');
      });
      await ended;
    }
    expect(await once(start('edsger', 15), 'exit')).toEqual([0, null]);
    await Promise.all(steady.map(async (writer) => writer.exitCode ?? (await once(writer, 'exit'))));
    const { entries, failures } = await verifyLog(store, policy);
    expect(failures).toEqual([]);
    const found = entries.map(({ entry: { by, reason } }) => `${by} ${reason}`).sort();
    const expected = ['ada', 'edsger', 'grace'].flatMap((by) =>
      Array.from({ length: 15 }, (_, n) => `${by} number ${n}`),
    );
    expect(found).toEqual(expected.sort());
  });

  it('is not gone on with when its end is by somebody else', async () => {
    await append('a');
    const stranger = await generateSigningKey();
    const theirs = createTrustPolicy([{ publicKey: stranger.publicKey, roles: ['audit'] }]);
    await appendDecision(store, readSigner(stranger.privateKey), theirs, entry('forged'), 'taken-over');
    await expect(append('b')).rejects.toMatchObject({ code: 'log-unverified' });
    expect(await codes()).toEqual(['checkpoint-unsigned']);
    // Somebody looked at it, and takes it over.
    await appendDecision(store, signer, policy, entry('looked at', { decision: 'taken-over' }), 'taken-over');
    expect(await append('b')).toBe(3);
    expect(await codes()).toEqual([]);
  });

  it('is not signed by a key that may sign other things', async () => {
    const others = createTrustPolicy([{ publicKey: key.publicKey, roles: ['release', 'approval'] }]);
    await append('a');
    expect((await verifyLog(store, others)).failures).toMatchObject([{ code: 'checkpoint-unsigned' }]);
  });

  it('tells of every entry that was changed, left out, added or put elsewhere', async () => {
    for (const reason of ['a', 'b', 'c', 'd']) await append(reason);
    const [a, b, c, d] = await versions();
    const changed = { ...b!, entry: entry('another') };
    for (const log of [
      [a, changed, c, d],
      [a, c, d],
      [a, b, b, c, d],
      [b, a, c, d],
      [b, c, d],
    ]) {
      expect(await codes(storeWithLog(log))).toContain('tree-mismatch');
    }
    expect(await codes(storeWithLog([a, { ...b!, approved: true }, c, d]))).toEqual(['record-corrupt']);
  });

  it('tells of an end that was cut off, or written anew, to whoever kept a checkpoint', async () => {
    for (const reason of ['a', 'b', 'c']) await append(reason);
    const [a, b, c] = await versions();
    const kept = { checkpoints: [c!.checkpoint] };
    expect(await codes(store, kept)).toEqual([]);
    expect(await codes(storeWithLog([a, b]))).toEqual([]);
    expect(await codes(storeWithLog([a, b]), kept)).toEqual(['history-rewritten']);
    const other = await openStore(pathToFileURL(path.join(folder, 'other')).href);
    for (const reason of ['a', 'b', 'z', 'y']) await append(reason, other);
    expect(await codes(other)).toEqual([]);
    expect(await codes(other, kept)).toEqual(['history-rewritten']);
  });

  it('tells of releases that were published behind its back, and not of those before its time', async () => {
    const [first, second] = [digestOf('first'), digestOf('second')];
    await appendDecision(
      store,
      signer,
      policy,
      entry('x', { decision: 'proposed', endpoint: 'digits', revision: 4 }),
    );
    const published = [
      { endpoint: 'digits', revision: 3, release: first },
      { endpoint: 'letters', revision: 9, release: first },
    ];
    expect(await codes(store, { published })).toEqual([]);
    const behind = [...published, { endpoint: 'digits', revision: 5, release: second }];
    expect(await codes(store, { published: behind })).toEqual(['release-unlogged']);
  });

  it('tells of statements that are gone', async () => {
    await appendDecision(store, signer, policy, entry('x', { statement: digestOf('gone') }));
    expect(await codes()).toEqual(['statement-mismatch']);
  });

  it('proves an entry to somebody who has nothing but a policy', async () => {
    for (const reason of ['a', 'b', 'c', 'd', 'e']) await append(reason);
    const entries = await readLog(store);
    for (const { index, entry: logged } of entries) {
      const proof = proveEntry(entries, index);
      expect(proof).toMatch(/^c2sp\.org\/tlog-proof@v1\nindex \d\n/);
      expect(proofHolds(proof, logged, policy)).toBe(true);
      expect(proofHolds(proof, entry('never'), policy)).toBe(false);
      expect(proofHolds(proof.replace(/^index \d/m, 'index 4'), logged, policy)).toBe(index === 4);
      expect(proofHolds(proof, logged, { ...policy, keys: [] })).toBe(false);
    }
    expect(() => proveEntry(entries, 5)).toThrow(expect.objectContaining({ code: 'not-found' }));
  });

  it('is exported as tiles from which its root can be taken again', async () => {
    for (const reason of ['a', 'b', 'c']) await append(reason);
    const entries = await readLog(store);
    // Tiles are 256 wide: the same three entries stand for many.
    const many = Array.from({ length: 600 }, (_, index) => ({ ...entries[index % 3]!, index }));
    const files = tilesOf(many);
    expect([...files.keys()].sort()).toEqual([
      ...['checkpoint', 'tile/0/000', 'tile/0/001', 'tile/0/002.p/88', 'tile/1/000.p/2'],
      ...['tile/entries/000', 'tile/entries/001', 'tile/entries/002.p/88'],
    ]);
    const tile = Buffer.from(files.get('tile/0/001')!);
    const hashes = Array.from({ length: 256 }, (_, index) => tile.subarray(32 * index, 32 * index + 32));
    expect(Buffer.from(files.get('tile/1/000.p/2')!).subarray(32)).toEqual(Buffer.from(rootOf(hashes)));
    const bundle = Buffer.from(files.get('tile/entries/002.p/88')!);
    expect(JSON.parse(bundle.subarray(2, 2 + bundle.readUInt16BE()).toString())).toMatchObject({ by: 'ada' });
    expect(tilesOf([]).size).toBe(0);
  });

  it('is cosigned by a witness as long as it only grows', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const witness = { name: 'witness.example.com', publicKey };
    const cosign = async (last: string | undefined, of = store) =>
      witnessLog(await readLog(of), policy, last, witness, privateKey, now);
    await append('a');
    const first = await cosign(undefined);
    await append('b');
    const second = await cosign(first);
    expect(await cosign(second)).toContain('witness.example.com');
    expect(await codes(store, { checkpoints: [second], witnesses: [witness] })).toEqual([]);

    // Another history under the same key: as good as this one to whoever has not seen this one.
    const other = await openStore(pathToFileURL(path.join(folder, 'other')).href);
    for (const reason of ['a', 'z', 'y']) await append(reason, other);
    await expect(cosign(second, other)).rejects.toMatchObject({ code: 'log-unverified' });
    await expect(cosign(second, storeWithLog((await versions()).slice(0, 1)))).rejects.toMatchObject({
      code: 'log-unverified',
    });
    expect(await codes(other, { checkpoints: [second], witnesses: [witness] })).toEqual([
      'history-rewritten',
    ]);
    const stranger = { ...witness, ...generateKeyPairSync('ed25519') };
    await expect(codes(other, { checkpoints: [second], witnesses: [stranger] })).rejects.toMatchObject({
      code: 'note-invalid',
    });
  });
});
