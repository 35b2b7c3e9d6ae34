import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { statePaths } from '../../src/cli/state.js';
import { openDatabase } from '../../src/core/data/database.js';
import { encodeEvidence } from '../../src/core/evaluation/index.js';
import { gatesSchema } from '../../src/core/spec/index.js';
import { digestOf, openStore, type Store } from '../../src/core/store/index.js';
import { assay } from './assay.js';

let folder: string;
let store: Store;
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'assay-evidence-'));
  const { store: url } = statePaths(path.join(folder, '.assay'));
  mkdirSync(path.join(folder, '.assay'));
  store = await openStore(url);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const [gate] = gatesSchema.parse([{ gate: 'accuracy', minimum: 0.5 }]);
const rows = ['a "quoted", id', 'b\nc', 'ü', '{}'].map((id, i) => ({
  id,
  label: i,
  predicted: i === 1 ? -1 : i,
  correct: i !== 1,
}));
const evidence = () =>
  encodeEvidence(
    {
      version: 1,
      gate,
      policy: digestOf('policy'),
      model: digestOf('model'),
      snapshot: digestOf('snapshot'),
      runKey: { derivation: 'a key', value: '0'.repeat(64) },
      available: rows.length,
      classes: ['w', 'x', 'y', 'z'],
      environment: {},
    },
    rows,
  );

describe('assay evidence', () => {
  it('prints what is in the store, and writes it as one and the same table every time', async () => {
    const digest = await store.putBlob(evidence());
    expect(await assay(folder, 'evidence', digest)).toEqual({
      exit: 0,
      stdout: new TextDecoder().decode(evidence()),
      stderr: '',
    });
    for (const file of ['one.parquet', 'other.parquet']) {
      expect(await assay(folder, 'evidence', digest, '--parquet', file)).toMatchObject({
        exit: 0,
        stderr: '',
      });
    }
    const [one, other] = ['one.parquet', 'other.parquet'].map((file) =>
      readFileSync(path.join(folder, file)),
    );
    expect(one!.equals(other!)).toBe(true);
    const database = await openDatabase(folder);
    const table = await database.rows(`SELECT * FROM read_parquet('${folder}/one.parquet')`);
    database.close();
    expect(table).toEqual([...rows].sort((a, b) => (a.id < b.id ? -1 : 1)));
    expect(await assay(folder, 'evidence', digest, '--parquet', 'one.parquet')).toMatchObject({ exit: 2 });
  });

  it('refuses what is no evidence', async () => {
    const other = await store.putBlob(Buffer.from('{}'));
    expect(await assay(folder, 'evidence', other, '--parquet', 'none.parquet')).toMatchObject({
      exit: 3,
      stderr: expect.stringContaining('expected evidence of a gate'),
    });
    expect(await assay(folder, 'evidence', 'digits')).toMatchObject({ exit: 2 });
  });
});
