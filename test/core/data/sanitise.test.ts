import path from 'node:path';
import { openDatabase } from '../../../src/core/data/database.js';
import { type Bench, type DataInput, openBench } from './bench.js';

let bench: Bench;
let made = 0;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(() => bench.close());

const block: DataInput = {
  source: 'notes.jsonl',
  id: 'id',
  label: { column: 'label', classes: ['a', 'b'] },
  features: [{ columns: ['x'], type: 'number', minimum: 0, maximum: 10 }],
  columns: [{ name: 'note', type: 'text', nulls: 0.9 }],
};
type Row = { id: string; label: string; x: number | string; note: string };
const rows = (changes: readonly Partial<Row>[]): Row[] =>
  Array.from({ length: 8 }, (_, i) => ({
    id: `r${i}`,
    label: i % 2 ? 'a' : 'b',
    x: i,
    note: 'fine',
    ...changes[i],
  }));

async function sanitised(
  sanitise: DataInput['sanitise'],
  changes: readonly Partial<Row>[],
  more: Partial<DataInput> = {},
) {
  const content = rows(changes)
    .map((row) => JSON.stringify(row))
    .join('\n');
  const result = await bench.ingest(content, { ...block, ...more, sanitise });
  if (result.kind !== 'accepted') throw new Error(result.summary.join('\n'));
  const folder = path.join(bench.folder, `sanitised-${made++}`);
  await bench.store.fetchTree(result.record.snapshot, folder);
  const database = await openDatabase(folder);
  const files = `${folder.replaceAll("'", "''")}/*.parquet`;
  const kept = await database.rows(`SELECT * FROM read_parquet('${files}') ORDER BY id`);
  database.close();
  const { transforms } = result.record.account!;
  return { kept, counts: transforms.map(({ values, rows: changed }) => [values, changed]), result };
}

describe('sanitising', () => {
  it('makes its changes in order and counts each', async () => {
    const { kept, counts } = await sanitised(
      [
        { transform: 'trim', columns: ['note', 'label', 'x'] },
        { transform: 'unicode', columns: ['note'] },
        { transform: 'strip', columns: ['note'] },
        { transform: 'clip', columns: ['x'], minimum: 0, maximum: 6.5 },
        { transform: 'drop', name: 'too-large', when: "x > 6 AND note = 'fine'" },
        { transform: 'clip', columns: ['x'], maximum: 6 },
      ],
      [
        { note: '\u3000 spaced \n', label: ' b' },
        { note: 'Cafe\u0301' },
        { note: 'a\u202eb\u200bc' },
        { x: -4 },
        {},
        { x: 99, note: 'kept' },
        { x: 6.5 },
      ],
    );
    // Row r6 and r7 have x 6.5 after the first clipping and are dropped; the last clipping sees r5 alone.
    expect(counts).toEqual([
      [2, 1],
      [1, 1],
      [1, 1],
      [3, 3],
      [0, 2],
      [1, 1],
    ]);
    expect(kept.map(({ id, label, x, note }) => [id, label, x, note])).toEqual([
      ['r0', 'b', 0, 'spaced'],
      ['r1', 'a', 1, 'Caf\u00e9'],
      ['r2', 'b', 2, 'abc'],
      ['r3', 'a', 0, 'fine'],
      ['r4', 'b', 4, 'fine'],
      ['r5', 'a', 6, 'kept'],
    ]);
  });

  it('redacts personal data by its form, and by a pattern of the user', async () => {
    const texts = [
      'mail ada.l+x@mail.example.org now',
      'call +49 (30) 1234-5678 or 0044 20 7946 0958',
      'pay DE89 3704 0044 0532 0130 00 by 4111-1111-1111-1111',
      'from 192.168.0.255, not 1.2.3 or 999.1.1.1',
      'ssn 078-05-1120',
      'badge E-12345',
      'order 12345 of 2024-01-31, 3.50 euro',
      '',
    ];
    const { kept, counts } = await sanitised(
      [{ transform: 'redact', columns: ['note'], pattern: 'E-[0-9]{5}' }],
      texts.map((note) => ({ note })),
    );
    expect(kept.map(({ note }) => note)).toEqual([
      'mail [email] now',
      'call [phone] or [phone]',
      'pay [iban] by [card]',
      'from [ipv4], not 1.2.3 or 999.1.1.1',
      'ssn [us-ssn]',
      'badge [redacted]',
      'order 12345 of 2024-01-31, 3.50 euro',
      '',
    ]);
    expect(counts).toEqual([[6, 6]]);
  });

  it('leaves what is no number to the checks', async () => {
    const clip: DataInput['sanitise'] = [{ transform: 'clip', columns: ['x'], minimum: 0, maximum: 10 }];
    for (const x of ['1_000', 'inf', 'NaN', '0x99']) {
      const content = rows([{ x }]).map(({ id, label, x: value, note }) => `${id},${label},${value},${note}`);
      const result = await bench.ingest(['id,label,x,note', ...content].join('\n'), {
        ...block,
        source: 'n.csv',
        sanitise: clip,
      });
      expect(result).toMatchObject({ kind: 'refused', problems: 1 });
    }
  });

  it('refuses to change texts as if they were numbers, and the other way round', async () => {
    await expect(sanitised([{ transform: 'clip', columns: ['note'], maximum: 1 }], [])).rejects.toMatchObject(
      {
        code: 'spec-invalid',
      },
    );
    await expect(sanitised([{ transform: 'redact', columns: ['x'] }], [])).rejects.toMatchObject({
      code: 'spec-invalid',
    });
    await expect(
      sanitised([{ transform: 'redact', columns: ['note'], pattern: '(' }], []),
    ).rejects.toMatchObject({ code: 'spec-invalid' });
    await expect(
      sanitised([{ transform: 'drop', name: 'all', when: "read_text('x') = ''" }], []),
    ).rejects.toMatchObject({ code: 'spec-invalid' });
  });
});
