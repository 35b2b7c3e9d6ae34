import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { checkFile } from '../../../src/core/data/index.js';
import { RefusedError } from '../../../src/core/errors/index.js';
import { dataSchema } from '../../../src/core/spec/index.js';
import { parquetOf } from './bench.js';

const megabyte = 2 ** 20;
const header = 'id,label,x,note\n';
const good = Array.from({ length: 12 }, (_, i) => `r${i},${i % 2 ? 'a' : 'b'},${i % 10},fine\n`).join('');
const jsonRows = Array.from(
  { length: 12 },
  (_, i) => `{"id":"r${i}","label":"${i % 2 ? 'a' : 'b'}","x":1,"note":"n"}\n`,
).join('');
const withBytes = (...parts: (string | Uint8Array)[]) =>
  Buffer.concat(parts.map((part) => Buffer.from(part)));
const sql = (note: string, rows = 12) =>
  `SELECT 'r' || i AS id, if(i % 2 = 0, 'a', 'b') AS label, (hash(i) % 10)::DOUBLE AS x, ${note} AS note FROM range(${rows}) AS t(i)`;

let folder: string;
let parquet: Buffer;
let large: Buffer;
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'assay-malformed-'));
  parquet = await parquetOf(folder, sql("'fine'"));
  large = await parquetOf(folder, sql('md5(i::VARCHAR)', 20_000));
  writeFileSync(path.join(folder, 'good.csv'), header + good);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What becomes of a file: accepted, the rules that refuse it, or the code of the error. */
async function outcomeOf(name: string, format?: 'csv'): Promise<string> {
  const rules = new Set<string>();
  const data = dataSchema.parse({
    source: name,
    ...(format && { format }),
    id: 'id',
    label: { column: 'label', classes: ['a', 'b'] },
    features: [{ columns: ['x'], type: 'number', minimum: 0, maximum: 10 }],
    columns: [{ name: 'note', type: 'text', length: { maximum: 1000 } }],
  });
  try {
    const { status } = await checkFile(path.join(folder, name), data, {
      resolve: (source) => source,
      fetchReference: () => Promise.reject(new Error('there is none')),
      asOf: new Date(0),
      onProblem: ({ rule }) => {
        rules.add(rule);
      },
    });
    return status === 'accepted' ? status : [...rules].join(' ');
  } catch (error) {
    if (error instanceof RefusedError) return error.code;
    throw error;
  }
}

const files: readonly [what: string, name: string, content: () => Uint8Array | string, outcome: string][] = [
  ['nothing at all', 'empty.csv', () => '', 'source-unreadable'],
  ['a header alone', 'header.csv', () => header, 'row-count class-rows'],
  ['Parquet cut in half', 'cut.parquet', () => parquet.subarray(0, parquet.length / 2), 'source-unreadable'],
  ['Parquet without its last byte', 'short.parquet', () => parquet.subarray(0, -1), 'source-unreadable'],
  [
    'Parquet with noise in the middle',
    'noise.parquet',
    () => large.map((byte, i) => (i > 2000 && i < large.length - 3000 ? byte ^ (i % 251) : byte)),
    'source-unreadable',
  ],
  ['the first and last bytes of Parquet', 'magic.parquet', () => 'PAR1PAR1', 'source-unreadable'],
  ['CSV that is called Parquet', 'named.parquet', () => header + good, 'source-unreadable'],
  ['Parquet that is called CSV', 'named.csv', () => parquet, 'source-unreadable'],
  [
    'one row in Latin-1 among UTF-8',
    'mixed.csv',
    () => withBytes(header, good, 'r20,a,1,caf', Uint8Array.of(0xe9), '\n'),
    'unparseable-row',
  ],
  ['UTF-16', 'utf16.csv', () => Buffer.from(`\ufeff${header}${good}`, 'utf16le'), 'source-unreadable'],
  ['UTF-8 read as Latin-1', 'mojibake.csv', () => `${header}${good}r20,a,1,CafÃ©\n`, 'characters'],
  ['NUL bytes', 'nul.csv', () => `${header}${good}r20,a,1,x\0y\n`, 'unparseable-row'],
  [
    'a cell of 10 MB in CSV',
    'cell.csv',
    () => `${header}${good}r20,a,1,${'x'.repeat(10 * megabyte)}\n`,
    'unparseable-row',
  ],
  [
    'a cell of 10 MB in JSON',
    'cell.jsonl',
    () => `${jsonRows}{"id":"r20","label":"a","x":1,"note":"${'x'.repeat(10 * megabyte)}"}\n`,
    'unparseable-row',
  ],
  [
    'a quote that is never closed',
    'quote.csv',
    () => `${header}${good}r20,a,1,"x\n${good}`,
    'unparseable-row',
  ],
  ['another schema', 'schema.csv', () => 'id,label,y\nr1,a,1\n', 'extra-column missing-column class-rows'],
  [
    '10,000 columns',
    'wide.csv',
    () => `${Array.from({ length: 10_000 }, (_, i) => `c${i}`).join(',')}\n`,
    'extra-column missing-column row-count',
  ],
  ['JSON nested 100,000 deep', 'deep.jsonl', () => `${jsonRows}${'['.repeat(100_000)}\n`, 'unparseable-row'],
  [
    'a gzip bomb, 100 MB in 100 kB, that is called CSV',
    'bomb.csv',
    () => gzipSync(Buffer.alloc(100 * megabyte, 0x61)),
    'source-unreadable',
  ],
  ['the same under its own name', 'bomb.csv.gz', () => gzipSync(Buffer.alloc(megabyte)), 'spec-invalid'],
];

describe('a malformed source', () => {
  it.each(files)('that is %s is refused', async (_, name, content, outcome) => {
    writeFileSync(path.join(folder, name), content());
    expect(await outcomeOf(name)).toBe(outcome);
  });

  it('that is a cell of 10 MB in Parquet, or a list, is refused', async () => {
    writeFileSync(
      path.join(folder, 'cell.parquet'),
      await parquetOf(folder, sql("repeat('x', if(i = 3, 10000000, 1))")),
    );
    expect(await outcomeOf('cell.parquet')).toBe('length');
    writeFileSync(path.join(folder, 'list.parquet'), await parquetOf(folder, sql('[i, i]')));
    expect(await outcomeOf('list.parquet')).toBe('column-type');
  });

  it('that is no file is refused, and a link to one is read as that', async () => {
    mkdirSync(path.join(folder, 'folder.csv'));
    symlinkSync(path.join(folder, 'nowhere'), path.join(folder, 'dangling.csv'));
    symlinkSync('/dev/zero', path.join(folder, 'device.csv'));
    symlinkSync('loop.csv', path.join(folder, 'loop.csv'));
    execFileSync('mkfifo', [path.join(folder, 'pipe.csv')]);
    for (const name of ['folder.csv', 'dangling.csv', 'device.csv', 'loop.csv', 'pipe.csv'])
      expect([name, await outcomeOf(name)]).toEqual([name, 'source-missing']);
    symlinkSync('good.csv', path.join(folder, 'link.csv'));
    expect(await outcomeOf('link.csv')).toBe('accepted');
  });
});
