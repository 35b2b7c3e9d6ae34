import { randomBytes } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import { ingest, inputRange, readManifest, readSplit } from '../../../src/core/data/index.js';
import { splitSizes } from '../../../src/core/data/split.js';
import { permutation, randomStream } from '../../../src/core/random/index.js';
import { dataSchema } from '../../../src/core/spec/index.js';
import {
  type Bench,
  csvOf,
  type DataInput,
  openBench,
  type Point,
  parquetOf,
  pointRows,
  points,
} from './bench.js';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(() => bench.close());

const shuffled = <T>(rows: readonly T[], seed: number): T[] =>
  Array.from(permutation(randomStream(seed, 'shuffle'), rows.length), (i) => rows[i]!);
const jsonl: DataInput = { ...points, source: 'points.jsonl' };
const parquet: DataInput = { ...points, source: 'points.parquet' };

describe('the digits', () => {
  const pixels = Array.from({ length: 64 }, (_, i) => `p${i >> 3}${i & 7}`);
  const digits: DataInput = {
    source: 'digits.csv',
    id: 'id',
    label: { column: 'label', classes: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] },
    features: [{ columns: pixels, type: 'integer', minimum: 0, maximum: 16, scale: 'unit' }],
    shape: [1, 8, 8],
  };
  const file = path.resolve(__dirname, '../../../examples/digits/digits.csv');

  it('become a snapshot that says every value of the source again', async () => {
    const result = await bench.ingest({ file }, digits);
    if (result.kind !== 'accepted') throw new Error(result.summary.join('\n'));
    expect(result.record).toMatchObject({ classes: 10, features: 64 });
    const folder = path.join(bench.folder, 'digits');
    await bench.store.fetchTree(result.record.snapshot, folder);

    const manifest = await readManifest(folder);
    const [, ...lines] = (await readFile(file, 'utf8')).trim().split(/\r?\n/);
    const source = new Map(lines.map((line) => [line.split(',')[0]!, line.split(',').slice(1).map(Number)]));
    const seen = new Set<string>();
    for (const split of ['train', 'validation', 'test'] as const) {
      const { ids, inputs, labels } = await readSplit(folder, split);
      expect(ids).toHaveLength(manifest.rows[split]);
      expect(ids).toEqual([...ids].sort());
      expect(manifest.classRows[split]).toEqual(
        digits.label.classes.map((name) => labels.filter((label) => label === name).length),
      );
      for (const [i, id] of ids.entries()) {
        const [label, ...values] = [source.get(id)!.at(-1), ...source.get(id)!.slice(0, -1)];
        expect(labels[i]).toBe(label);
        expect(Array.from(inputs.subarray(i * 64, i * 64 + 64), (value) => value * 16)).toEqual(values);
        seen.add(id);
      }
    }
    expect(seen.size).toBe(source.size);
    const column = [...source.values()].map((values) => values[3]!);
    const mean = column.reduce((sum, value) => sum + value, 0) / column.length;
    const variance = column.reduce((sum, value) => sum + (value - mean) ** 2, 0) / column.length;
    expect(manifest.statistics.p03).toMatchObject({
      minimum: Math.min(...column),
      maximum: Math.max(...column),
    });
    expect(manifest.statistics.p03!.mean).toBeCloseTo(mean, 10);
    expect(manifest.statistics.p03!.deviation).toBeCloseTo(Math.sqrt(variance), 10);
  });

  it('are refused with every one of their planted faults, and nothing else', async () => {
    const lines = (await readFile(file, 'utf8')).split(/\r?\n/);
    const edit = (row: number, change: (values: string[]) => string[]) => {
      lines[row] = change(lines[row]!.split(',')).join(',');
    };
    const planted = ['17', '-1', '1.5', 'x', '', 'NaN', '1_0', ' 3', '0x3', '1e1', '99999999999999999999'];
    for (const [i, value] of planted.entries()) edit(10 * i + 10, (values) => values.with(i + 1, value));
    edit(500, (values) => values.with(65, '10'));
    edit(501, (values) => values.with(0, 'digit-0007'));
    edit(502, (values) => [...values, '7']);
    edit(503, (values) => values.slice(0, -1));
    edit(504, (values) => values.with(0, ''));
    const problems = await bench.problems(lines.join('\n'), digits);
    expect(problems.map(({ rule, row, column, value }) => [row, rule, column, value])).toEqual([
      [10, 'range', 'p00', '17'],
      [20, 'range', 'p01', '-1'],
      [30, 'type', 'p02', '1.5'],
      [40, 'type', 'p03', 'x'],
      [50, 'missing-value', 'p04', undefined],
      [60, 'not-finite', 'p05', 'NaN'],
      [70, 'type', 'p06', '1_0'],
      [80, 'type', 'p07', ' 3'],
      [90, 'type', 'p10', '0x3'],
      [100, 'type', 'p11', '1e1'],
      [110, 'range', 'p12', '99999999999999999999'],
      [500, 'unknown-label', 'label', '10'],
      [502, 'unparseable-row', undefined, expect.stringContaining('67 values where the header has 66')],
      [503, 'unparseable-row', undefined, expect.stringContaining('65 values where the header has 66')],
      [504, 'missing-value', 'id', undefined],
      [501, 'duplicate-id', 'id', 'digit-0007'],
    ]);
    expect(problems[0]).toMatchObject({ id: 'digit-0009', expected: 'an integer from 0 to 16' });
  });
});

describe('a snapshot', () => {
  it('is the same whatever the order of the rows, the run, or the format', async () => {
    const rows = pointRows(40);
    const first = await bench.parquetOf(await bench.ingest(csvOf(rows), points));
    await fc.assert(
      fc.asyncProperty(fc.nat(), async (seed) => {
        const order = shuffled(rows, seed);
        expect(await bench.parquetOf(await bench.ingest(csvOf(order), points))).toEqual(first);
        const lines = order.map((row) => JSON.stringify(row)).join('\r\n');
        expect(await bench.parquetOf(await bench.ingest(lines, jsonl))).toEqual(first);
      }),
      { numRuns: 4 },
    );
    const sql =
      "SELECT 'row-' || i AS id, if(i % 2 = 0, 'a', 'b') AS label, (i % 20) / 2 AS x, 1.25::FLOAT AS y, i::INT AS n";
    const table = await parquetOf(bench.folder, `${sql} FROM range(40) AS t(i) ORDER BY hash(i)`);
    expect(await bench.parquetOf(await bench.ingest(table, parquet))).toEqual(first);
  });

  it('is another one when a value, a label, an id or the seed is', async () => {
    const rows = pointRows(40);
    const first = await bench.parquetOf(await bench.ingest(csvOf(rows), points));
    const changes: Partial<Point>[] = [{ x: 9.75 }, { label: 'b' }, { id: 'another' }];
    for (const change of changes) {
      const changed = rows.map((row, i) => (i === 0 ? { ...row, ...change } : row));
      expect(await bench.parquetOf(await bench.ingest(csvOf(changed), points))).not.toEqual(first);
    }
    const reseeded = { ...points, split: { seed: 1 } };
    expect(await bench.parquetOf(await bench.ingest(csvOf(rows), reseeded))).not.toEqual(first);
  });

  it('keeps a row in its split when its features change', async () => {
    const idsOf = async (rows: readonly Point[], name: string) => {
      const result = await bench.ingest(csvOf(rows), points);
      if (result.kind !== 'accepted') throw new Error(result.summary.join('\n'));
      const folder = path.join(bench.folder, name);
      await bench.store.fetchTree(result.record.snapshot, folder);
      return (await readSplit(folder, 'test')).ids;
    };
    const rows = pointRows(60);
    const changed = rows.map((row) => ({ ...row, x: 3, n: 1 }));
    expect(await idsOf(changed, 'changed')).toEqual(await idsOf(rows, 'unchanged'));
  });

  it('holds the bounds of its inputs in the units of the model', async () => {
    const data: DataInput = {
      ...points,
      features: [
        { columns: ['x', 'y'], type: 'number', minimum: -1, maximum: 11, scale: 'unit' },
        { columns: ['n'], type: 'integer', minimum: -5, maximum: 100 },
      ],
    };
    const result = await bench.ingest(csvOf(pointRows(12)), data);
    if (result.kind !== 'accepted') throw new Error(result.summary.join('\n'));
    const folder = path.join(bench.folder, 'bounds');
    await bench.store.fetchTree(result.record.snapshot, folder);
    const manifest = await readManifest(folder);
    expect(inputRange(manifest)).toEqual({
      minimum: Float32Array.of(0, 0, -5),
      maximum: Float32Array.of(1, 1, 100),
    });
    const { ids, inputs } = await readSplit(folder, 'train');
    const n = Number(ids[0]!.slice('row-'.length));
    expect([...inputs.subarray(0, 3)]).toEqual(
      [n / 2, 1.25, n].map((value, i) => Math.fround(i < 2 ? (value + 1) / 12 : value)),
    );
  });

  it('splits every class by the fractions, with a row at least everywhere', () => {
    const fraction = fc.integer({ min: 1, max: 98 });
    fc.assert(
      fc.property(fc.integer({ min: 3, max: 5000 }), fraction, fraction, (rows, a, b) => {
        const [validation, test] = [a / (a + b + 50), b / (a + b + 50)];
        const train = 1 - validation - test;
        const sizes = splitSizes(rows, { train, validation, test, seed: 0 });
        expect(sizes.train + sizes.validation + sizes.test).toBe(rows);
        expect(Math.min(sizes.train, sizes.validation, sizes.test)).toBeGreaterThanOrEqual(1);
        expect(Math.abs(sizes.test - rows * test)).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('is refused when its rows are not what its manifest says', async () => {
    const result = await bench.ingest(csvOf(pointRows(12)), points);
    if (result.kind !== 'accepted') throw new Error(result.summary.join('\n'));
    const folder = path.join(bench.folder, 'mismatched');
    await bench.store.fetchTree(result.record.snapshot, folder);
    await rename(path.join(folder, 'test.parquet'), path.join(folder, 'train.parquet'));
    await expect(readSplit(folder, 'train')).rejects.toMatchObject({ code: 'snapshot-invalid' });
    await expect(readSplit(folder, 'test')).rejects.toMatchObject({ code: 'snapshot-invalid' });
    await writeFile(path.join(folder, 'snapshot.json'), '{}');
    await expect(readManifest(folder)).rejects.toMatchObject({ code: 'snapshot-invalid' });
  });
});

describe('ingest', () => {
  it('finds exactly the values that are wrong, wherever they are', async () => {
    const bad = {
      x: ['', 'x', '10.000000000000002', '-0.1', 'nan', '-Infinity', '1e999', '1_0', ' 1', '0x1', '٣', '1e'],
      n: ['', '1.5', '9007199254740993', '-6', '1e2', 'inf', '+1', '99999999999999999999'],
    };
    const good = {
      x: ['0', '10', '1e1', '.5', '5.', '+1', '-0', '"5"', '1e-400'],
      n: ['-5', '9007199254740992', '3.0', '007'],
    };
    const cell = (column: 'x' | 'n') =>
      fc.oneof(
        fc.constantFrom(...bad[column]).map((value) => ({ value, broken: true })),
        fc.constantFrom(...good[column]).map((value) => ({ value, broken: false })),
      );
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(cell('x'), cell('n')), { minLength: 8, maxLength: 12 }),
        async (cells) => {
          const rows = pointRows(cells.length).map((row, i) => ({
            ...row,
            x: cells[i]![0].value,
            n: cells[i]![1].value,
          }));
          const expected = cells.flatMap(([x, n], i) => [
            ...(x.broken ? [`${i + 1} x`] : []),
            ...(n.broken ? [`${i + 1} n`] : []),
          ]);
          if (expected.length === 0) {
            expect((await bench.ingest(csvOf(rows), points)).kind).toBe('accepted');
            return;
          }
          const problems = await bench.problems(csvOf(rows), points);
          expect(problems.map(({ row, column }) => `${row} ${column}`)).toEqual(expected);
        },
      ),
      { numRuns: 12 },
    );
  });

  it('finds values that are no category, and groups in which not exactly one is 1', async () => {
    const data: DataInput = {
      source: 'sites.csv',
      id: 'id',
      label: { column: 'label', classes: [0, 1] },
      features: [
        { columns: ['age'], type: 'number', minimum: 0, maximum: 1, values: [0, 0.5, 1], mutable: false },
        { columns: ['red', 'green', 'blue'], type: 'integer', minimum: 0, maximum: 1, oneHot: true },
        { columns: ['big', 'small'], type: 'number', minimum: 0, maximum: 1, oneHot: true },
        { columns: ['level'], type: 'integer', minimum: 0, maximum: 9, values: [1, 2, 8] },
      ],
    };
    const good = ['0.50,1,0,0,0,1.0,8', '1,0,1,0,1,0,1', '0,0,0,1,1.0,0,2', '1e0,0,1,0,0,1,2'];
    const lines = [...good, ...good].map((values, i) => `row-${i},${i % 2},${values}`);
    const header = 'id,label,age,red,green,blue,big,small,level';
    const bad = [
      'row-8,0,0.25,1,0,0,0,1,3',
      'row-9,0,1,0,0,0,0.5,0.5,1',
      'row-10,0,1,1,1,0,0,1,1',
      'row-11,0,1,1,,0,0,1,1',
    ];
    const problems = await bench.problems([header, ...lines, ...bad].join('\n'), data);
    expect(problems.map(({ row, rule, column, value }) => [row, rule, column, value])).toEqual([
      [9, 'value', 'age', '0.25'],
      [9, 'value', 'level', '3'],
      [10, 'one-hot', 'red', '0 0 0'],
      [10, 'one-hot', 'big', '0.5 0.5'],
      [11, 'one-hot', 'red', '1 1 0'],
      [12, 'missing-value', 'green', undefined],
    ]);
    expect(problems[0]!.expected).toBe('one of 0, 0.5, 1');
    expect(problems[2]!.expected).toBe('one 1 and otherwise 0 in columns red to blue');

    const result = await bench.ingest([header, ...lines].join('\n'), data);
    if (result.kind !== 'accepted') throw new Error(result.summary.join('\n'));
    const folder = path.join(bench.folder, 'sites');
    await bench.store.fetchTree(result.record.snapshot, folder);
    const { features } = await readManifest(folder);
    expect(features[0]).toMatchObject({ values: [0, 0.5, 1], mutable: false });
    expect(features.map(({ oneHot }) => oneHot)).toEqual([undefined, 1, 1, 1, 2, 2, undefined]);
  });

  it('reports columns that are missing, twice there or not asked for, and checks the others', async () => {
    const text = ['id,label,x,x,z', ...pointRows(8).map(({ id, label }) => `${id},${label},11,1,1`)].join(
      '\n',
    );
    const problems = await bench.problems(text, points);
    expect(problems.slice(0, 4).map(({ rule, column, row }) => [rule, column, row])).toEqual([
      ['duplicate-column', 'x', null],
      ['extra-column', 'z', null],
      ['missing-column', 'y', null],
      ['missing-column', 'n', null],
    ]);
    expect(problems.slice(4).map(({ rule }) => rule)).toEqual(Array(8).fill('range'));
  });

  it('refuses too few rows, too many rows, and a class that cannot be in every split', async () => {
    const rulesOf = async (rows: Point[], bounds: { minimum?: number; maximum?: number }) =>
      (await bench.problems(csvOf(rows), { ...points, rows: bounds })).map(({ rule }) => rule);
    expect(await rulesOf(pointRows(8), { minimum: 9 })).toEqual(['row-count']);
    expect(await rulesOf(pointRows(8), { maximum: 7 })).toEqual(['row-count']);
    expect(await rulesOf(pointRows(5), {})).toEqual(['class-rows']);
    expect(await rulesOf([], {})).toEqual(['row-count', 'class-rows', 'class-rows']);
  });

  it('reads JSON Lines by the letter', async () => {
    const good = pointRows(8).map((row) => JSON.stringify(row));
    const bad = [
      '{bad',
      '[1]',
      '{"id":"q1","label":"a","x":NaN,"y":1,"n":1}',
      '{"id":"q2","id":"q3","label":"a","x":1,"y":1,"n":1}',
      '{"id":"q4","label":"a","x":"5","y":1,"n":1}',
      '{"id":"q5","label":"a","x":1,"y":1,"n":1,"more":1}',
      '{"id":"q6","label":null,"x":true,"y":[1]}',
      '{"id":"q7\\u0000","label":"a","x":1e999,"y":1,"n":1}',
      '{"id":"q8","label":"a","x":1,"y":1,"n":9007199254740993}',
      '{"id":"\\ud800","label":"a","x":1,"y":1,"n":1}',
    ];
    const problems = await bench.problems([...good, ...bad].join('\n'), jsonl);
    expect(problems.map(({ row, rule, column }) => [row! - 8, rule, column])).toEqual([
      [1, 'unparseable-row', undefined],
      [2, 'unparseable-row', undefined],
      [3, 'unparseable-row', undefined],
      [4, 'duplicate-field', undefined],
      [5, 'type', 'x'],
      [6, 'extra-field', undefined],
      [7, 'missing-value', 'label'],
      [7, 'type', 'x'],
      [7, 'type', 'y'],
      [7, 'missing-value', 'n'],
      [8, 'type', 'id'],
      [8, 'not-finite', 'x'],
      [9, 'range', 'n'],
      [10, 'unparseable-row', undefined],
    ]);
  });

  it('reports Parquet columns of the wrong type, and values that are not finite', async () => {
    const wrong = 'SELECT i AS id, [1] AS label, i::VARCHAR AS x, now() AS y, i AS n FROM range(8) AS t(i)';
    const problems = await bench.problems(await parquetOf(bench.folder, wrong), parquet);
    expect(problems.map(({ rule, column }) => [rule, column])).toEqual([
      ['column-type', 'label'],
      ['column-type', 'x'],
      ['column-type', 'y'],
    ]);
    const values =
      "SELECT i::VARCHAR AS id, if(i % 2 = 0, 'a', 'b') AS label, if(i = 3, 'nan', '1')::DOUBLE AS x, " +
      "if(i = 4, 'inf', '1')::FLOAT AS y, if(i = 5, NULL, 1.5) AS n FROM range(8) AS t(i)";
    const found = await bench.problems(await parquetOf(bench.folder, values), parquet);
    expect(
      found.filter(({ rule }) => rule !== 'type').map(({ row, rule, column }) => [row, rule, column]),
    ).toEqual([
      [4, 'not-finite', 'x'],
      [5, 'not-finite', 'y'],
      [6, 'missing-value', 'n'],
    ]);
    expect(found.filter(({ rule }) => rule === 'type')).toHaveLength(7);
  });

  it('takes no column or class name for SQL', async () => {
    const evil = `x"'); DROP TABLE raw; -- ~/$.*`;
    const data: DataInput = {
      ...points,
      label: { column: `l'"`, classes: [`a'; --`, 'b'] },
      features: [{ columns: [evil, 'y'], type: 'number', minimum: 0, maximum: 10 }],
    };
    const rows = pointRows(12).map(({ id, label, x, y }) => ({
      id,
      'l\'"': label === 'a' ? `a'; --` : 'b',
      [evil]: x,
      y,
    }));
    const cell = (value: unknown) => `"${String(value).replaceAll('"', '""')}"`;
    const text = [Object.keys(rows[0]!), ...rows.map((row) => Object.values(row))].map((row) =>
      row.map(cell).join(','),
    );
    const fromCsv = await bench.ingest(text.join('\n'), data);
    const lines = rows.map((row) => JSON.stringify(row)).join('\n');
    expect(await bench.parquetOf(await bench.ingest(lines, { ...data, format: 'jsonl' }))).toEqual(
      await bench.parquetOf(fromCsv),
    );
    if (fromCsv.kind !== 'accepted') throw new Error(fromCsv.summary.join('\n'));
    const folder = path.join(bench.folder, 'evil');
    await bench.store.fetchTree(fromCsv.record.snapshot, folder);
    expect((await readManifest(folder)).features[0]!.column).toBe(evil);
    expect((await readSplit(folder, 'train')).ids.length).toBeGreaterThan(0);
  });

  it('refuses data blocks that no table can hold', async () => {
    const feature = { type: 'number', minimum: 0, maximum: 1 } as const;
    for (const features of [
      [{ ...feature, columns: ['a', 'A'] }],
      [{ ...feature, columns: ['a\0b'] }],
      [{ ...feature, columns: ['a'], maximum: 1e39 }],
    ]) {
      await expect(bench.ingest('id', { ...points, features })).rejects.toMatchObject({
        code: 'spec-invalid',
      });
    }
    await expect(bench.ingest('id', { ...points, source: 'x.xls' })).rejects.toMatchObject({
      code: 'spec-invalid',
    });
  });

  const whole = csvOf(pointRows(12));
  const binary = randomBytes(50_000);
  it.each<[string, string | Uint8Array, DataInput]>([
    ['an empty file', '', points],
    ['only blank lines', '\n\r\n', points],
    ['UTF-16', Buffer.from(`\ufeff${whole}`, 'utf16le'), points],
    ['a header that is binary', Buffer.concat([Buffer.from([0, 1, 255]), binary]), points],
    ['an empty Parquet file', '', parquet],
    ['binary that is no Parquet', binary, parquet],
    ['text that is no Parquet', whole, parquet],
  ])('refuses %s as unreadable', async (_, content, data) => {
    await expect(bench.ingest(content, data)).rejects.toMatchObject({ code: 'source-unreadable' });
  });

  it('refuses a Parquet file cut anywhere', async () => {
    const sql =
      "SELECT i::VARCHAR AS id, if(i % 2 = 0, 'a', 'b') AS label, i AS x, i AS y, i AS n FROM range(9) AS t(i)";
    const table = await parquetOf(bench.folder, sql);
    expect((await bench.ingest(table, parquet)).kind).toBe('accepted');
    for (const end of [table.length - 1, table.length - 9, table.length >> 1, 4]) {
      await expect(bench.ingest(table.subarray(0, end), parquet)).rejects.toMatchObject({
        code: 'source-unreadable',
      });
    }
  });

  it('reports a 10 MB value, a NUL and bytes that are not UTF-8 by their rows', async () => {
    const lines = [
      whole,
      `big,a,${'9'.repeat(10_000_000)},1,1`,
      'n\0l,a,1,1,1',
      'l\xe9,a,1,1,1',
      'ok,a,1,1,1',
    ];
    const problems = await bench.problems(Buffer.from(lines.join('\n'), 'latin1'), points);
    expect(problems.map(({ row, rule }) => [row, rule])).toEqual([
      [13, 'unparseable-row'],
      [14, 'unparseable-row'],
      [15, 'unparseable-row'],
    ]);
    expect(JSON.stringify(problems).length).toBeLessThan(2000);
  });

  it('refuses to read a source that changed in the store', async () => {
    const source = `sha256:${'0'.repeat(64)}` as const;
    const { store, workFolder } = bench;
    await expect(ingest({ store, source, data: dataSchema.parse(points), workFolder })).rejects.toMatchObject(
      {
        code: 'blob-missing',
      },
    );
  });

  it('stops when it is told to', async () => {
    const { store, workFolder } = bench;
    const source = await store.putBlob(Buffer.from(csvOf(pointRows(2000))));
    const stop = new AbortController();
    const seen: number[] = [];
    const onProgress = (fraction: number) => {
      seen.push(fraction);
      if (fraction >= 0.4) stop.abort(new Error('no longer wanted'));
    };
    const data = dataSchema.parse(points);
    await expect(
      ingest({ store, source, data, workFolder, signal: stop.signal, onProgress }),
    ).rejects.toThrow('no longer wanted');
    expect(seen).toEqual([0.1, 0.4]);
  });
});
