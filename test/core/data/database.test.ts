import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Database, openDatabase } from '../../../src/core/data/database.js';

describe('the database', () => {
  let root: string;
  let database: Database;
  beforeAll(async () => {
    root = await realpath(await mkdtemp(path.join(tmpdir(), 'assay-database-')));
    await mkdir(path.join(root, 'inside'));
    await writeFile(path.join(root, 'inside', 'a.csv'), 'a\n1\n');
    await writeFile(path.join(root, 'inside-secret.csv'), 'a\n1\n');
    await writeFile(path.join(root, 'secret.csv'), 'a\n1\n');
    database = await openDatabase(path.join(root, 'inside'));
  });
  afterAll(async () => {
    database.close();
    await rm(root, { recursive: true });
  });

  it('reads its own folder', async () => {
    expect(await database.rows(`SELECT a FROM read_csv('${root}/inside/a.csv')`)).toEqual([{ a: 1n }]);
  });

  it.each([
    ['a file beside it', (root: string) => `SELECT * FROM read_text('${root}/secret.csv')`],
    [
      'a file whose name begins like it',
      (root: string) => `SELECT * FROM read_text('${root}/inside-secret.csv')`,
    ],
    ['a file above it', (root: string) => `SELECT * FROM read_text('${root}/inside/../secret.csv')`],
    ['a place to write', (root: string) => `COPY (SELECT 1) TO '${root}/out.csv'`],
    ['another database', (root: string) => `ATTACH '${root}/other.db'`],
    ['an extension', () => 'INSTALL httpfs'],
    ['its own limits', () => "SET memory_limit = '100GB'"],
    ['the lock', () => 'SET enable_external_access = true'],
  ])('cannot reach %s', async (_, sql) => {
    await expect(database.run(sql(root))).rejects.toThrow();
  });
});
