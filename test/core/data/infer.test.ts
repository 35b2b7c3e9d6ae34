import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parse } from 'yaml';
import { inferBlock } from '../../../src/cli/data/infer-block.js';
import { checkFile, profileTable } from '../../../src/core/data/index.js';
import { randomStream } from '../../../src/core/random/index.js';
import { type DataSpec, dataSchema } from '../../../src/core/spec/index.js';
import { parquetOf } from './bench.js';

const root = path.resolve(__dirname, '../../..');
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), "assay infer's-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function inferred(file: string, named: { id?: string; label?: string } = {}): Promise<DataSpec> {
  const text = inferBlock(await profileTable(file), { source: file, ...named });
  return dataSchema.parse((parse(text) as { data: unknown }).data);
}

async function problemsOf(file: string, data: DataSpec): Promise<readonly string[]> {
  const problems: string[] = [];
  await checkFile(file, data, {
    resolve: (name) => name,
    fetchReference: () => Promise.reject(new Error('there is none')),
    asOf: new Date('2026-01-02T03:04:05Z'),
    onProblem: ({ rule, column, row }) => {
      problems.push(`${rule} ${column ?? ''} ${row ?? ''}`);
    },
  });
  return problems;
}

/** A table with something of everything, as three formats would write it. */
function oddRows(count: number): Record<string, string | number | boolean | null>[] {
  const stream = randomStream(1, 'odd rows');
  return Array.from({ length: count }, (_, i) => ({
    'order id': `o-${i}`,
    amount: Math.round(stream.normal() * 1e6) / 1e3,
    'it\'s "odd"': stream.integer(9) - 4,
    gap: i % 7 === 0 ? null : stream.uniform() * 1e-7,
    at: `2025-0${1 + (i % 9)}-1${i % 10}T0${i % 10}:00:00Z`,
    colour: ['red', 'no', '007', 'null'][i % 4]!,
    note: i % 11 === 0 ? null : ` Caf\u00e9 ${i}${i === 5 ? ' \u202ehidden' : ''}`,
    sure: i % 2 === 0,
    zip: String(i % 3 === 0 ? '01234' : '99999999999999999999'),
    constant: 5,
    label: i % 5 === 0 ? 'spam' : 'ham',
  }));
}

const cell = (value: unknown) => (value === null ? '' : `"${String(value).replaceAll('"', '""')}"`);

describe('an inferred block', () => {
  it.each(['digits/digits.csv', 'phishing/phishing.csv'])('takes examples/%s', async (name) => {
    const file = path.join(root, 'examples', name);
    const data = await inferred(file);
    expect(await problemsOf(file, data)).toEqual([]);
    expect(data).toMatchObject(
      name.startsWith('digits')
        ? { id: 'id', label: { column: 'label', classes: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] } }
        : { id: 'id', features: expect.any(Array) },
    );
  });

  it('takes a table with something of everything, in each format, and says what it saw', async () => {
    const rows = oddRows(200);
    const names = Object.keys(rows[0]!);
    const csv = path.join(folder, 'odd.csv');
    writeFileSync(
      csv,
      [names.map(cell), ...rows.map((row) => Object.values(row).map(cell))]
        .map((line) => line.join(','))
        .join('\n'),
    );
    const jsonl = path.join(folder, 'odd.jsonl');
    writeFileSync(jsonl, rows.map((row) => JSON.stringify(row)).join('\n'));
    const parquet = path.join(folder, 'odd.parquet');
    writeFileSync(
      parquet,
      await parquetOf(folder, `SELECT * FROM read_json('${jsonl.replaceAll("'", "''")}')`),
    );
    for (const file of [csv, jsonl, parquet]) {
      const data = await inferred(file);
      expect(await problemsOf(file, data)).toEqual([]);
      expect(data.id).toBe('order id');
      expect(data.label).toEqual({ column: 'label', classes: ['ham', 'spam'] });
      const columns = new Map(data.columns!.map((column) => [column.name, column]));
      expect(columns.get('gap')).toMatchObject({ type: 'number', nulls: expect.any(Number) });
      expect(columns.get('at')).toMatchObject({ type: 'timestamp' });
      expect(columns.get('colour')).toMatchObject({ type: 'text', values: ['007', 'no', 'null', 'red'] });
      expect(columns.get('note')).toMatchObject({ type: 'text', allow: ['bidi'] });
      expect(columns.get('sure')).toMatchObject({ type: 'boolean' });
      expect(columns.get('zip')?.type).toBe('text');
      const changed = rows.map((row, i) => ({ ...row, ...(i === 3 && { amount: 1e9, colour: 'blue' }) }));
      if (file !== jsonl) continue;
      writeFileSync(path.join(folder, 'changed.jsonl'), changed.map((row) => JSON.stringify(row)).join('\n'));
      expect(await problemsOf(path.join(folder, 'changed.jsonl'), data)).toEqual([
        'range amount 4',
        'value colour 4',
      ]);
    }
  });

  it('is refused where the id, the label or the table cannot be told', async () => {
    const write = (text: string) => {
      const file = path.join(folder, 'short.csv');
      writeFileSync(file, text);
      return file;
    };
    await expect(inferred(write('a,b\n1,1\n1,2\n'))).rejects.toMatchObject({ code: 'usage' });
    await expect(inferred(write('id,x\na,1\nb,2\n'))).rejects.toMatchObject({ code: 'usage' });
    await expect(inferred(write('id,x\na,1\nb\n'))).rejects.toMatchObject({ code: 'source-unreadable' });
    await expect(inferred(write('id,id\na,1\nb,2\n'))).rejects.toMatchObject({ code: 'source-unreadable' });
    await expect(inferred(path.join(folder, 'none.csv'))).rejects.toMatchObject({ code: 'source-missing' });
  });
});
