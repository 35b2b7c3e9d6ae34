import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { readDescribedTable, readSamples } from '../../../src/core/data/index.js';
import type { RefusedError } from '../../../src/core/errors/index.js';
import { parseLifecycle } from '../../../src/core/spec/index.js';
import { npyOf, npzOf } from './numpy-files.js';

const examples = path.resolve(__dirname, '../../../examples/digits');
let folder: string;
const inside = (name: string) => path.join(folder, name);
const write = (name: string, content: string | Uint8Array): string => {
  writeFileSync(inside(name), content);
  return inside(name);
};
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'assay-samples-test-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const refusal = async (reading: Promise<unknown>): Promise<RefusedError> =>
  await reading.then(
    () => {
      throw new Error('expected a refusal');
    },
    (error: RefusedError) => error,
  );

const table = 'id,height,note,weight,label\na,1.5,x,10,cat\nb,2.5,y,20,dog\nc,-1,z,30,cat\n';

describe('a table of anyone', () => {
  it('is read alike from CSV, JSON Lines and Parquet', async () => {
    const csv = write('animals.csv', table);
    const jsonl = write(
      'animals.jsonl',
      '{"id":"a","height":1.5,"note":"x","weight":10,"label":"cat"}\n' +
        '{"id":"b","height":2.5,"note":"y","weight":20,"label":"dog"}\n' +
        '{"id":"c","height":-1,"note":"z","weight":30,"label":"cat"}\n',
    );
    const parquet = inside('animals.parquet');
    const instance = await DuckDBInstance.create(':memory:');
    const connection = await instance.connect();
    await connection.run(`COPY (SELECT * FROM read_csv('${csv}')) TO '${parquet}' (FORMAT parquet)`);
    connection.closeSync();

    const expected = {
      samples: {
        ids: ['a', 'b', 'c'],
        inputs: Float32Array.of(1.5, 10, 2.5, 20, -1, 30),
        labels: Uint32Array.of(0, 1, 0),
      },
      classes: ['cat', 'dog'],
      minimum: Float32Array.of(-1, 10),
      maximum: Float32Array.of(2.5, 30),
      shape: [2],
      columns: ['height', 'weight'],
      notes: [
        'Column "label" is taken for the label.',
        'Column "id" is taken for the name of a sample.',
        'Left out, since they hold no numbers: columns note.',
        'Classes are the labels, in order: cat, dog. Set them with --classes.',
        'The valid range is taken from the data, column by column. Set it with --range LOW,HIGH.',
      ],
    };
    for (const file of [csv, jsonl, parquet]) expect(await readSamples(file, {})).toEqual(expected);
  });

  it('needs no names of samples, takes columns in the order asked for, and scales', async () => {
    const file = write('plain.csv', 'b,a,t\n0,5,2\n10,0,1\n');
    const set = await readSamples(file, {
      label: 't',
      columns: ['a', 'b'],
      range: [0, 10],
      scale: 'unit',
      classCount: 4,
    });
    expect(set.samples).toEqual({
      ids: ['row-1', 'row-2'],
      inputs: Float32Array.of(0.5, 0, 0, 1),
      labels: Uint32Array.of(2, 1),
    });
    expect([set.classes, [...set.minimum], [...set.maximum]]).toEqual([
      [0, 1, 2, 3],
      [0, 0],
      [1, 1],
    ]);
    expect(set.notes).toEqual([]);
  });

  it("reads what pandas writes: an index without a name, integer labels with '.0'", async () => {
    const set = await readSamples(write('pandas.csv', ',x,y\n0,0.25,10.0\n1,0.5,2.0\n'), {});
    expect(set.samples.ids).toEqual(['0', '1']);
    expect(set.notes[1]).toBe('The column without a name is taken for the name of a sample.');
    expect([...set.samples.labels]).toEqual([10, 2]);
    expect(set.notes).toContain(
      'The valid range is taken to be 0 to 1, since all values lie there. Set it with --range LOW,HIGH.',
    );
  });

  it.each([
    ['a cell that is no number', 'x,y\n1,0\nhello,1\n', {}, 'data-refused', 'row 2, column "x"'],
    ['a missing cell', 'x,y\n1,0\n,1\n', {}, 'data-refused', 'row 2, column "x"'],
    ['a missing label', 'x,y\n1,0\n2,\n', {}, 'data-refused', 'row 2, column "y"'],
    ['a torn row', 'x,y\n1,0\n2\n', {}, 'data-refused', '1 values where the header has 2'],
    ['names that repeat', 'id,x,y\na,1,0\na,2,1\n', {}, 'data-refused', 'another id than row 1'],
    ['a column twice', 'x,x,y\n1,1,0\n', {}, 'data-refused', 'column "x"'],
    ['a number beyond float32', 'x,y\n1e39,0\n', {}, 'data-refused', 'row 1, column "x"'],
    ['no label', 'a,b\n1,0\n', {}, 'usage', '--label COLUMN, one of a, b'],
    ['no such column', 'a,y\n1,0\n', { columns: ['c'] }, 'usage', 'one of the columns a, y, got c'],
    ['the label as input', 'a,y\n1,0\n', { columns: ['y'] }, 'usage', 'not the label'],
    ['no numbers', 'a,y\nu,0\n', {}, 'data-refused', 'columns of numbers'],
    ['no rows', 'a,y\n', { columns: ['a'] }, 'data-refused', 'expected samples, got none'],
    ['a label beyond the model', 'a,y\n1,5\n', { classCount: 3 }, 'data-refused', 'expected 3 classes'],
    ['labels from 1', 'a,y\n1,1\n2,2\n', { classCount: 2 }, 'data-refused', '--classes'],
    ['an unknown class', 'a,y\n1,c\n', { classes: ['a', 'b'] }, 'data-refused', 'got c'],
    ['values outside the range', 'a,y\n3,0\n', { range: [0, 1] }, 'data-refused', 'sample row-1, a: 3'],
    ['a range upside down', 'a,y\n3,0\n', { range: [1, 0] }, 'usage', 'from low to high'],
    ['a scale without a range', 'a,y\n3,0\n', { scale: 'unit' }, 'usage', '--range LOW,HIGH'],
    ['another shape', 'a,b,y\n3,1,0\n', { shape: [1] }, 'data-refused', 'columns: a, b'],
  ] as const)('refuses %s, saying where', async (_name, text, options, code, message) => {
    const error = await refusal(readSamples(write('bad.csv', text), options as never));
    expect([error.code, [error.message, ...error.details].join('\n')]).toEqual([
      code,
      expect.stringContaining(message),
    ]);
  });

  it('says what files it reads, and which are not there', async () => {
    expect(await refusal(readSamples(write('data.txt', 'x'), {}))).toMatchObject({ code: 'usage' });
    expect(await refusal(readSamples(inside('none.csv'), {}))).toMatchObject({ code: 'source-missing' });
    expect(await refusal(readSamples(inside('none.npz'), {}))).toMatchObject({ code: 'source-missing' });
    for (const [name, text] of [
      ['empty.csv', ''],
      ['torn.parquet', 'PAR1'],
      ['list.jsonl', '[1]\n'],
      ['nul.csv', '\0\n'],
    ] as const) {
      expect([name, await refusal(readSamples(write(name, text), {}))]).toEqual([
        name,
        expect.objectContaining({ code: 'source-unreadable' }),
      ]);
    }
  });
});

describe('NumPy files', () => {
  const x = npyOf('<f4', [2, 1, 2], Float32Array.of(0, 0.25, 0.5, 1));
  const y = npyOf('<i8', [2], BigInt64Array.of(1n, 0n));

  it('give samples of their own shape, named by their index', async () => {
    const set = await readSamples(write('set.npz', npzOf({ x, y })), {});
    expect(set).toMatchObject({ shape: [1, 2], classes: [0, 1] });
    expect(set.samples).toEqual({
      ids: ['index-0', 'index-1'],
      inputs: Float32Array.of(0, 0.25, 0.5, 1),
      labels: Uint32Array.of(1, 0),
    });
    const apart = await readSamples(write('x.npy', x), { labels: write('y.npy', y) });
    expect(apart).toEqual(set);
  });

  it('may hold bytes, whose range is 0 to 255', async () => {
    const bytes = npyOf('|u1', [2, 2], Uint8Array.of(0, 51, 255, 102));
    const set = await readSamples(write('bytes.npz', npzOf({ inputs: bytes, labels: y })), { scale: 'unit' });
    expect([...set.samples.inputs]).toEqual([0, 0.2, 1, 0.4].map(Math.fround));
    expect([set.minimum[0], set.maximum[0]]).toEqual([0, 1]);
    expect(set.notes).toEqual([expect.stringContaining('0 to 255')]);
  });

  it('are reshaped where axes of length 1 differ or the values are flat, and never transposed unseen', async () => {
    const images = npyOf('<f4', [1, 2, 3, 3], new Float32Array(18));
    const flat = npyOf('<f4', [1, 18], new Float32Array(18));
    const one = npyOf('|u1', [1], Uint8Array.of(0));
    const shaped = (array: Uint8Array, shape: readonly number[]) =>
      readSamples(write('shaped.npz', npzOf({ x: array, y: one })), { shape, range: [0, 1] });
    expect((await shaped(flat, [2, 3, 3])).shape).toEqual([2, 3, 3]);
    expect((await shaped(images, [2, 1, 3, 3])).shape).toEqual([2, 1, 3, 3]);
    expect((await shaped(images, [18])).shape).toEqual([18]);
    expect((await refusal(shaped(images, [3, 3, 2]))).message).toContain('transpose');
  });

  it.each([
    ['no labels', { x }, 'expected labels in an array y'],
    ['no inputs', { y }, 'expected inputs in an array x'],
    ['fewer labels', { x, y: npyOf('<i8', [1], BigInt64Array.of(1n)) }, 'one label for each of 2'],
    ['one-hot labels', { x, y: npyOf('|u1', [2, 2], Uint8Array.of(0, 1, 1, 0)) }, 'argmax'],
    ['labels between classes', { x, y: npyOf('<f4', [2], Float32Array.of(0, 0.5)) }, 'integer labels'],
    ['NaN', { x: npyOf('<f4', [2, 1], Float32Array.of(0, Number.NaN)), y }, 'Sample index-1'],
    ['doubles beyond float32', { x: npyOf('<f8', [2, 1], Float64Array.of(0, 1e39)), y }, 'finite'],
  ])('are refused with %s', async (_name, arrays, message) => {
    const error = await refusal(readSamples(write('bad.npz', npzOf(arrays)), {}));
    expect([error.code, error.message]).toEqual(['data-refused', expect.stringContaining(message)]);
  });

  it('may count classes from below 0', async () => {
    const labels = npyOf('|i1', [2], Int8Array.of(1, -1));
    const set = await readSamples(write('signs.npz', npzOf({ x, y: labels })), {});
    expect([set.classes, [...set.samples.labels]]).toEqual([
      ['-1', '1'],
      [1, 0],
    ]);
  });

  it('as .npy need their labels beside them', async () => {
    const error = await refusal(readSamples(write('x.npy', x), {}));
    expect([error.code, error.message]).toEqual(['usage', expect.stringContaining('--labels FILE.npy')]);
  });
});

describe('a table that a lifecycle describes', () => {
  const { data } = parseLifecycle(readFileSync(path.join(examples, 'lifecycle.yaml')), 'lifecycle.yaml');

  it('is split and scaled as in a run', async () => {
    const file = path.join(examples, 'digits.csv');
    const test = await readDescribedTable(file, data, 'test', { classCount: 10, shape: [1, 8, 8] });
    const all = await readDescribedTable(file, data, 'all', {});
    expect([test.samples.ids.length, all.samples.ids.length]).toEqual([359, 1797]);
    expect(test.shape).toEqual([1, 8, 8]);
    expect([test.minimum[0], test.maximum[0], test.notes]).toEqual([0, 1, []]);
    const position = all.samples.ids.indexOf(test.samples.ids[0]!);
    expect(test.samples.inputs.subarray(0, 64)).toEqual(
      all.samples.inputs.subarray(position * 64, position * 64 + 64),
    );
  });

  it('is refused with every rule that ingestion has', async () => {
    const [header, first] = readFileSync(path.join(examples, 'digits.csv'), 'utf8').split(/\r?\n/);
    const text = `${header},extra\n${first!.replace(/^([^,]*),[^,]*/, '$1,17')},1\n`;
    const file = write('digits.csv', text);
    const error = await refusal(readDescribedTable(file, data, 'all', {}));
    expect(error.code).toBe('data-refused');
    expect(error.details.join('\n')).toContain('column "extra"');
    expect(error.details.join('\n')).toContain('from 0 to 16, got "17"');
  });
});
