import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { ingest } from '../../src/core/data/index.js';
import { type Digest, dataSchema, type SnapshotRecord } from '../../src/core/spec/index.js';
import { openStore, type Store } from '../../src/core/store/index.js';
import { attestData, readDataDecisions, readSigner, readTrustPolicy } from '../../src/core/trust/index.js';
import { assay } from './assay.js';

const data = dataSchema.parse({
  source: 'notes.csv',
  id: 'id',
  label: { column: 'label', classes: ['a', 'b'] },
  features: [{ columns: ['x'], type: 'number', minimum: 0, maximum: 10 }],
  columns: [{ name: 'note', type: 'text', length: { maximum: 5 } }],
  quarantine: { maximumShare: 0.5 },
});
const rows = Array.from({ length: 12 }, (_, i) => `r${i},${i % 2 ? 'a' : 'b'},${i % 10},n${i}`);
const content = ['id,label,x,note', ...rows, 'long,a,1,much too long', 'far,a,99,ok'].join('\n');

describe('what people decide about data', () => {
  let folder: string;
  let store: Store;
  let source: Digest;
  let record: SnapshotRecord;
  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'assay-decisions-'));
    expect((await assay(folder, 'keys', 'init')).exit).toBe(0);
    store = await openStore(pathToFileURL(path.join(folder, '.assay/store')).href);
    source = await store.putBlob(Buffer.from(content));
    const workFolder = path.join(folder, 'work');
    mkdirSync(workFolder);
    const result = await ingest({ store, source, data, workFolder });
    if (result.kind !== 'accepted') throw new Error(result.summary.join('\n'));
    record = result.record;
    const signer = readSigner(readFileSync(path.join(folder, '.assay/keys/signing.pem'), 'utf8'));
    await attestData(store, signer, record, data, new Date());
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const policy = () => readTrustPolicy(readFileSync(path.join(folder, '.assay/trust.yaml'), 'utf8'));

  it('is signed for the rows that they let in, and for no row that the model cannot take', async () => {
    const set = record.account!.quarantine!;
    const listed = await assay(folder, 'data', 'quarantine', set);
    expect(listed.stdout).toContain('row 13 ("long")');
    expect(listed.stdout).toContain('length of "note": expected a text, 0 to 5 characters long');
    expect(listed.stdout).toMatch(/row 14 \("far"\) .* only to be corrected at its source/);

    const release = (row: string) =>
      assay(folder, 'data', 'quarantine', set, '--release', row, '--reason', 'seen');
    expect((await release('far')).exit).toBe(3);
    expect((await release('nobody')).exit).toBe(2);
    expect((await release('long')).exit).toBe(0);
    const { releases } = await readDataDecisions(store, policy(), source, { now: new Date() });
    const again = await ingest({
      store,
      source,
      data,
      workFolder: path.join(folder, 'work'),
      releases: releases.map(({ envelope, predicate }) => ({ decision: envelope, rows: predicate.rows })),
    });
    expect(again).toMatchObject({ kind: 'accepted', record: { account: { refused: 1 } } });
  });

  it('shows in the lineage, revocations first of all', async () => {
    const about = ['--supplier', 'The shop', '--name', 'notes-2025', '--license', 'CC-BY-4.0'];
    expect((await assay(folder, 'data', 'attest', source, ...about)).exit).toBe(0);
    const before = await assay(folder, 'data', 'lineage', record.snapshot);
    expect(before.stdout).toContain(`source ${source}  notes-2025 of The shop, CC-BY-4.0`);
    expect(before.stdout).toContain(`ingested → snapshot ${record.snapshot}  12 rows of 14, 2 set aside`);

    const revoked = await assay(folder, 'data', 'revoke', source, '--reason', 'a rater sold votes');
    expect(revoked.exit).toBe(0);
    expect(revoked.stdout).toContain('No endpoint serves anything that came of it.');
    const after = await assay(folder, 'data', 'lineage', source);
    expect(after.stdout).toMatch(/revoked by .*: a rater sold votes/);
    expect((await readDataDecisions(store, policy(), source, { now: new Date() })).revocations).toHaveLength(
      1,
    );
  });
});
