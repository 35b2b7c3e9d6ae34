import path from 'node:path';
import { openDatabase } from '../../../src/core/data/database.js';
import { readExpression } from '../../../src/core/data/expression.js';
import { readManifest } from '../../../src/core/data/index.js';
import { randomStream } from '../../../src/core/random/index.js';
import { dataSchema } from '../../../src/core/spec/index.js';
import { type Bench, csvOf, type DataInput, openBench, parquetOf, pointRows, points } from './bench.js';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(() => bench.close());

/** Orders of a shop. */
const orders: DataInput = {
  source: 'orders.csv',
  id: 'id',
  label: { column: 'fraud', classes: [0, 1] },
  features: [{ columns: ['amount', 'paid'], type: 'number', minimum: 0, maximum: 1000 }],
  columns: [
    { name: 'country', type: 'text', valuesOf: { source: 'countries.csv', column: 'code' } },
    { name: 'note', type: 'text', nulls: 0.9, length: { maximum: 20 }, pattern: '[A-Za-z ]*' },
    { name: 'placed', type: 'timestamp', after: '2025-01-01', before: '2026-01-02' },
    { name: 'items', type: 'integer', minimum: 1, maximum: 9, values: [1, 2, 3, 12] },
    { name: 'gift', type: 'boolean', keep: false },
  ],
  checks: [
    {
      check: 'rule',
      name: 'paid-in-full',
      expression: 'paid <= amount AND ("country" <> \'XX\' OR items > 1)',
    },
    { check: 'unique', columns: ['country', 'placed'] },
  ],
};
const order = (i: number, changes: Record<string, string | number> = {}) => ({
  id: `o${i}`,
  fraud: i % 2,
  amount: 10 + i,
  paid: 10,
  country: i % 2 ? 'DE' : 'FR',
  note: 'thanks',
  placed: `2025-03-${String(i + 1).padStart(2, '0')}T10:00:00Z`,
  items: 2,
  gift: 'true',
  ...changes,
});
const rowsOf = (rows: readonly object[]) =>
  [Object.keys(rows[0]!).join(','), ...rows.map((row) => Object.values(row).join(','))].join('\n');
const withCountries = async () => ({
  files: { 'countries.csv': await bench.store.putBlob(Buffer.from('code,name\nDE,x\nFR,y\n')) },
});
const problemsOf = async (content: string, data: DataInput, more = {}) => {
  const result = await bench.ingest(content, data, more);
  if (result.kind === 'accepted') return [];
  return JSON.parse(Buffer.from(await bench.store.readBlob(result.report)).toString()).problems as Record<
    string,
    unknown
  >[];
};

describe('rules of columns', () => {
  const good = Array.from({ length: 12 }, (_, i) => order(i));

  it('find every kind of broken value, each once and with its row', async () => {
    const bad = [
      order(12, { country: 'ZZ' }),
      order(13, { note: 'far too long for a note of a shop' }),
      order(14, { note: 'a\u202eb' }),
      order(15, { note: 'x1' }),
      order(16, { placed: '2024-12-31T23:59:59Z' }),
      order(17, { placed: '2026-01-02T00:00:00Z' }),
      order(18, { placed: '2025-02-30' }),
      order(19, { items: '1.5' }),
      order(20, { items: 4 }),
      order(21, { items: 12 }),
      order(22, { gift: 'maybe' }),
      order(23, { country: '' }),
      order(24, { paid: 999 }),
      order(25, { paid: 'x' }),
      order(26, { note: '' }),
      order(27, { placed: '2025-03-01T10:00:00+00', country: 'FR' }),
      order(28, { note: 'CafÃ©' }),
    ];
    const problems = await problemsOf(rowsOf([...good, ...bad]), orders, await withCountries());
    expect(problems.map(({ row, rule, column }) => [row, rule, column])).toEqual([
      [13, 'foreign-value', 'country'],
      [14, 'length', 'note'],
      [15, 'characters', 'note'],
      [16, 'pattern', 'note'],
      [17, 'range', 'placed'],
      [18, 'range', 'placed'],
      [19, 'type', 'placed'],
      [20, 'type', 'items'],
      [21, 'value', 'items'],
      [22, 'range', 'items'],
      [23, 'type', 'gift'],
      [24, 'missing-value', 'country'],
      [25, 'rule', 'paid'],
      [26, 'type', 'paid'],
      [29, 'characters', 'note'],
      [28, 'duplicate', 'country'],
    ]);
    expect(problems[12]).toMatchObject({ id: 'o24', value: '999 34 FR 2' });
    expect(problems[12]!.expected).toContain('paid-in-full: paid <= amount');
  });

  it('find sets of columns that come twice', async () => {
    const twice = order(12, { placed: '2025-03-01T10:00:00Z', country: 'FR' });
    const problems = await problemsOf(rowsOf([...good, twice]), orders, await withCountries());
    expect(problems.map(({ row, rule, expected }) => [row, rule, expected])).toEqual([
      [13, 'duplicate', 'other values of country, placed than row 1'],
    ]);
  });

  it('keep the columns in the snapshot, in their own types, but for those that are to be left out', async () => {
    const result = await bench.ingest(rowsOf(good), orders, await withCountries());
    if (result.kind !== 'accepted') throw new Error(result.summary.join('\n'));
    const folder = path.join(bench.folder, 'orders');
    await bench.store.fetchTree(result.record.snapshot, folder);
    expect((await readManifest(folder)).others).toEqual([
      { column: 'country', type: 'text' },
      { column: 'note', type: 'text' },
      { column: 'placed', type: 'timestamp' },
      { column: 'items', type: 'integer' },
    ]);
    const database = await openDatabase(folder);
    const [row] = await database.rows(
      `SELECT typeof(placed) AS placed, typeof(items) AS items FROM read_parquet('${folder.replaceAll("'", "''")}/train.parquet')`,
    );
    database.close();
    expect(row).toEqual({ placed: 'TIMESTAMP', items: 'BIGINT' });
    expect(result.record.account).toMatchObject({
      read: 12,
      refused: 0,
      files: await withCountries().then(({ files }) => files),
    });
  });

  it('read Parquet alike, whether its numbers are numbers or not', async () => {
    const sql = (x: string) =>
      `SELECT 'r' || i AS id, i % 2 AS label, ${x} AS x, if(i = 5, 99, 1)::DOUBLE AS y, i::SMALLINT AS n FROM range(9) AS t(i)`;
    const data: DataInput = { ...points, source: 'p.parquet', label: { column: 'label', classes: [0, 1] } };
    const found: unknown[] = [];
    for (const x of ["if(i = 3, 'nan', '1')::DOUBLE", "if(i = 3, 'nan', '1')::FLOAT"]) {
      const problems = await bench.problems(await parquetOf(bench.folder, sql(x)), data);
      found.push(problems.map(({ rule, row, column }) => [rule, row, column]));
    }
    expect(found[0]).toEqual([
      ['not-finite', 4, 'x'],
      ['range', 6, 'y'],
    ]);
    expect(found[1]).toEqual(found[0]);
  });

  it('refuse a pattern, a file or a column that is none', async () => {
    await expect(bench.ingest(rowsOf(good), orders)).rejects.toMatchObject({ code: 'source-missing' });
    const other = { files: { 'countries.csv': await bench.store.putBlob(Buffer.from('iso\nDE\n')) } };
    await expect(bench.ingest(rowsOf(good), orders, other)).rejects.toMatchObject({
      code: 'source-unreadable',
    });
    const broken: DataInput = {
      ...orders,
      columns: [...orders.columns!.slice(1), { name: 'country', type: 'text', pattern: '(' }],
    };
    await expect(bench.ingest(rowsOf(good), broken, await withCountries())).rejects.toMatchObject({
      code: 'spec-invalid',
    });
  });
});

describe('an expression', () => {
  const data = dataSchema.parse(orders);
  it.each([
    ['a query', '(SELECT true)'],
    ['a second statement', 'true; DROP TABLE raw'],
    ['a table', 'true FROM raw'],
    ['a second column', 'true, false'],
    ['a file', "read_text('/etc/passwd') IS NOT NULL"],
    ['a blob by name', "content('/etc/passwd') = ''"],
    ['a setting', "current_setting('memory_limit') = ''"],
    ['the environment', "getenv('HOME') = ''"],
    ['the clock', 'now() > placed'],
    ['a coin', 'random() < 0.5'],
    ['an aggregate', 'sum(amount) > 1'],
    ['a window', 'row_number() OVER () > 1'],
    ['a star', "COLUMNS('.*') > 1"],
    ['a lambda', 'list_filter([1], lambda x: x > 1) = [1]'],
    ['a parameter', '$1 = 1'],
    ['a column of its own', 'raw.f0 > 1'],
    ['a column of the database', 'f0 > 1'],
    ['a comment that swallows the rest', 'true) /*'],
    ['a number', 'amount + 1'],
    ['text that fills the memory', "repeat('x', 1000000000) = country"],
    ['words', 'is it true'],
    ['a subquery in a list', 'amount = ANY([1])'],
    ['a condition', 'true WHERE true'],
    ['a union', 'true UNION SELECT true'],
    ['a name', 'true AS yes'],
  ])('is not %s', async (_, expression) => {
    const database = await openDatabase(bench.workFolder);
    try {
      await expect(readExpression(database, data, expression)).rejects.toMatchObject({
        code: 'spec-invalid',
      });
    } finally {
      database.close();
    }
  });

  it('says yes, no or nothing, and only yes is kept', async () => {
    const told = async (expression: string, changes: Record<string, string | number> = {}) => {
      const checks: DataInput['checks'] = [{ check: 'rule', name: 'rule', expression }];
      const rows = Array.from({ length: 6 }, (_, i) => order(i, i === 0 ? changes : {}));
      return (await problemsOf(rowsOf(rows), { ...orders, checks }, await withCountries())).length;
    };
    expect(
      await told(
        "note = 'thanks' AND placed < '2026-01-01' AND CASE WHEN gift THEN items = 2 ELSE false END",
      ),
    ).toBe(0);
    expect(await told("note IN ('a', 'thanks') AND note NOT LIKE 'x%' -- and so on")).toBe(0);
    expect(await told("note = 'thanks'", { note: '' })).toBe(1);
    expect(await told("note IS NULL OR note = 'thanks'", { note: '' })).toBe(0);
    expect(await told("CAST(note AS INTEGER) > 0 OR note = 'thanks'", { note: 'x' })).toBe(6);
  });
});

describe('the data as a whole', () => {
  const uniform = (n: number, seed: number, spread = 10) => {
    const stream = randomStream(seed, 'points');
    return Array.from({ length: n }, (_, i) => ({
      id: `row-${i}`,
      label: stream.uniform() < 0.5 ? 'a' : 'b',
      x: Math.round(stream.uniform() * spread * 100) / 100,
      y: Math.round(stream.uniform() * 1000) / 100,
      n: stream.integer(5),
    }));
  };
  const reference = async () => {
    const result = await bench.ingest(csvOf(uniform(2000, 1)), points);
    if (result.kind !== 'accepted') throw new Error(result.summary.join('\n'));
    return result.record.snapshot;
  };
  const statusOf = async (rows: Parameters<typeof csvOf>[0], checks: DataInput['checks']) => {
    const result = await bench.ingest(csvOf(rows), { ...points, reference: await reference(), checks });
    if (result.kind === 'accepted')
      return [result.record.account!.checks[0]!.status, result.record.account!.parent];
    return [result.inconclusive ? 'inconclusive' : 'fail', result.summary.join(' ')];
  };

  it.each(['psi', 'ks', 'chi-square', 'jensen-shannon'] as const)(
    'has drifted, has not, or is too little to tell, by %s',
    async (metric) => {
      const checks: DataInput['checks'] = [{ check: 'drift', metric, maximum: metric === 'ks' ? 0.15 : 0.2 }];
      expect(await statusOf(uniform(2000, 2), checks)).toEqual(['pass', await reference()]);
      const [status, told] = await statusOf(uniform(2000, 3, 3), checks);
      expect(status).toBe('fail');
      expect(told).toMatch(/1 of 4 columns have drifted, 0 may have: x \d/);
      expect((await statusOf(uniform(40, 4), checks))[0]).toBe('inconclusive');
    },
  );

  it('has drifted in what columns do together, when none has alone', async () => {
    const checks: DataInput['checks'] = [{ check: 'vector-drift', maximum: 0.1 }];
    const together = (rows: ReturnType<typeof uniform>) => rows.map((row) => ({ ...row, y: row.x }));
    expect((await statusOf(uniform(2000, 5), checks))[0]).toBe('pass');
    expect((await statusOf(together(uniform(2000, 6)), checks))[0]).toBe('fail');
    expect((await statusOf(uniform(100, 7), checks))[0]).toBe('inconclusive');
    expect((await statusOf(together(uniform(2000, 6)), [{ check: 'drift' }]))[0]).toBe('pass');
  });

  it('has classes of their share, values in their share, and rows that are new', async () => {
    const balance: DataInput['checks'] = [{ check: 'class-balance', minimumShare: 0.3 }];
    const share = (n: number, minority: number) =>
      pointRows(n).map((row, i) => ({ ...row, label: i < n * minority ? 'a' : 'b' }));
    expect((await statusOf(share(1000, 0.5), balance))[0]).toBe('pass');
    expect((await statusOf(share(1000, 0.2), balance))[0]).toBe('fail');
    expect((await statusOf(share(20, 0.35), balance))[0]).toBe('inconclusive');

    const notes = (missing: number, n: number) =>
      rowsOf(
        Array.from({ length: n }, (_, i) => order(i % 28, { id: `o${i}`, note: i < missing ? '' : 'x' })),
      );
    const nulls: DataInput = {
      ...orders,
      checks: [{ check: 'freshness', column: 'placed', maximumAgeHours: 24 * 300 }],
    };
    const at = async (content: string, asOf: string) => {
      const result = await bench.ingest(content, nulls, { ...(await withCountries()), asOf: new Date(asOf) });
      if (result.kind === 'accepted') return 'pass';
      return `${result.inconclusive ? 'inconclusive' : 'fail'} ${result.summary.join(' ')}`;
    };
    expect(await at(notes(500, 1000), '2025-12-01')).toBe('pass');
    expect(await at(notes(950, 1000), '2025-12-01')).toMatch(/^fail .*null-share/);
    expect(await at(notes(18, 20), '2025-12-01')).toMatch(/^inconclusive .*null-share/);
    expect(await at(notes(0, 100), '2026-03-01')).toMatch(/^fail .*freshness.*hours old/);
    expect(await at(notes(0, 100), '2025-01-01')).toMatch(/^fail .*in the future/);
  });

  it('refuses images of one colour and channels that are off', async () => {
    const pixels = ['r0', 'r1', 'r2', 'r3', 'g0', 'g1', 'g2', 'g3'];
    const data: DataInput = {
      source: 'images.csv',
      id: 'id',
      label: { column: 'label', classes: [0, 1] },
      features: [{ columns: pixels, type: 'integer', minimum: 0, maximum: 255 }],
      shape: [2, 2, 2],
      checks: [
        {
          check: 'image',
          minimumContrast: 0.1,
          channels: [
            { minimum: 10, maximum: 200 },
            { minimum: 0, maximum: 100 },
          ],
        },
      ],
    };
    const image = (i: number, values: readonly number[]) => `i${i},${i % 2},${values.join(',')}`;
    const good = [0, 50, 100, 50, 10, 20, 30, 40];
    const images = [
      ...Array(8).fill(good),
      Array(8).fill(77),
      [...good.slice(4), ...good.slice(0, 4)],
      [0, 9, 0, 0, 255, 255, 255, 255],
    ];
    const text = ['id,label', ...pixels].join(',');
    const problems = await problemsOf(
      [text, ...images.map((values, i) => image(i, values))].join('\n'),
      data,
    );
    expect(problems.map(({ row, rule, value }) => [row, rule, value])).toEqual([
      [9, 'image', '0.0'],
      [11, 'image', '2.25'],
      [11, 'image', '255.0'],
    ]);
  });
});
