import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { readManifest, readSplit } from '../../../src/core/data/index.js';
import { hashedNgrams } from '../../../src/core/text/index.js';
import { type Bench, type DataInput, openBench, parquetOf } from './bench.js';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(() => bench.close());

const data: DataInput = {
  source: 'texts.jsonl',
  id: 'id',
  label: {
    column: 'ratings',
    classes: ['bad', 'good'],
    crowd: { votes: { bad: [-1], good: [1] }, abstentions: [0] },
  },
  text: { column: 'text', words: [1], buckets: 64, maximumLength: 20 },
};
type Row = { readonly id: string; readonly text: unknown; readonly ratings: unknown };
const linesOf = (rows: readonly Row[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('');

/** Ten people agree on everything, and one more says the contrary. */
const agreed: readonly Row[] = Array.from({ length: 30 }, (_, i) => ({
  id: `t${String(i).padStart(2, '0')}`,
  text: `it's "${i}" 5,\n`,
  ratings: {
    ...Object.fromEntries(Array.from({ length: 10 }, (_, who) => [`rater ${who}`, i % 2 ? 1 : -1])),
    liar: i % 2 ? -1 : 1,
    silent: 0,
  },
}));
const quarantine = { ...data, label: { ...data.label, crowd: { ...data.label.crowd!, quarantine: {} } } };

let fetched = 0;
async function snapshotOf(result: Awaited<ReturnType<Bench['ingest']>>) {
  if (result.kind !== 'accepted') throw new Error(result.summary.join('\n'));
  const folder = path.join(bench.folder, `snapshot-${fetched++}`);
  await bench.store.fetchTree(result.record.snapshot, folder);
  const crowd = JSON.parse(await readFile(path.join(folder, 'crowd.json'), 'utf8')) as {
    readonly contributors: number;
    readonly quarantined: readonly { readonly contributor: string; readonly errorRate: number }[];
  };
  return { manifest: await readManifest(folder), train: await readSplit(folder, 'train'), crowd };
}

describe('texts', () => {
  it('are kept as they are, and seen as their hashed n-grams', async () => {
    const { manifest, train } = await snapshotOf(await bench.ingest(linesOf(agreed), data));
    expect(manifest).toMatchObject({ shape: [64], text: { column: 'text', buckets: 64 } });
    expect(manifest.features[63]).toMatchObject({ column: 'text#63', minimum: 0, maximum: 1 });
    for (const [index, id] of train.ids.entries()) {
      const { text } = agreed.find((row) => row.id === id)!;
      const seen = train.inputs.slice(index * 64, (index + 1) * 64);
      expect(seen).toEqual(hashedNgrams(String(text), { words: [1], characters: [], buckets: 64 }));
    }
  });

  it('give the same snapshot from JSON Lines, Parquet and CSV', async () => {
    const rows = agreed.map(({ id, text, ratings }) => [id, String(text), JSON.stringify(ratings)]);
    const quoted = (value: string): string => `"${value.replaceAll('"', '""')}"`;
    const csv = [['id', 'text', 'ratings'], ...rows].map((row) => row.map(quoted).join(',')).join('\n');
    const values = rows.map(
      (row) => `(${row.map((value) => `'${value.replaceAll("'", "''")}'`).join(', ')})`,
    );
    const parquet = await parquetOf(
      bench.folder,
      `SELECT * FROM (VALUES ${values.join(', ')}) AS t(id, text, ratings)`,
    );
    const files = await bench.parquetOf(await bench.ingest(linesOf(agreed), data));
    for (const [format, content] of [['csv', csv] as const, ['parquet', parquet] as const]) {
      const other = await bench.ingest(content, { ...data, source: `texts.${format}` });
      expect([format, await bench.parquetOf(other)]).toEqual([format, files]);
    }
  });

  it('that are missing or too long refuse their row', async () => {
    const [first, second, ...others] = agreed as [Row, Row, ...Row[]];
    const bad = [
      { ...first, text: null },
      { ...second, text: '😀'.repeat(21) },
    ];
    const problems = await bench.problems(linesOf([...bad, ...others]), data);
    expect(problems.map(({ rule, id }) => [rule, id])).toEqual([
      ['missing-value', 't00'],
      ['text-length', 't01'],
    ]);
    const fits = [{ ...first, text: '😀'.repeat(20) }, second, ...others];
    expect((await bench.ingest(linesOf(fits), data)).kind).toBe('accepted');
  });
});

describe('the votes of a crowd', () => {
  it('become labels, whatever the order of rows', async () => {
    const { train } = await snapshotOf(await bench.ingest(linesOf(agreed), data));
    for (const [index, id] of train.ids.entries()) expect(train.labels[index]).toBe(Number(id.slice(1)) % 2);
    const one = await bench.parquetOf(await bench.ingest(linesOf(agreed), data));
    expect(await bench.parquetOf(await bench.ingest(linesOf([...agreed].reverse()), data))).toEqual(one);
  });

  it('are not heard of contributors whom all others contradict, who are named', async () => {
    const { crowd } = await snapshotOf(await bench.ingest(linesOf(agreed), quarantine));
    expect(crowd).toMatchObject({
      contributors: 11,
      quarantined: [{ contributor: 'liar', votes: 30, errorRate: 1 }],
    });
    // With one honest rater against two liars of each item, only who is set aside makes a difference.
    const few = agreed.map((row, i) => {
      const lie = i % 2 ? -1 : 1;
      const ratings =
        i < 4 ? { 'rater 0': -lie, liar: lie, 'liar 2': lie } : { ...(row.ratings as object), 'liar 2': lie };
      return { ...row, ratings };
    });
    const labelled = async (block: DataInput): Promise<readonly number[]> => {
      const { train } = await snapshotOf(
        await bench.ingest(linesOf(few), { ...block, split: { train: 0.8, validation: 0.1, test: 0.1 } }),
      );
      return train.ids.map((id, index) => Math.abs(train.labels[index]! - (Number(id.slice(1)) % 2)));
    };
    const majority = { ...quarantine.label.crowd, aggregate: 'majority' as const };
    const heard = { ...data, label: { ...data.label, crowd: { ...majority, quarantine: undefined } } };
    expect(Math.max(...(await labelled({ ...data, label: { ...data.label, crowd: majority } })))).toBe(0);
    expect(Math.max(...(await labelled(heard)))).toBe(1);
  });

  it('refuse the data where too many contributors are contradicted', async () => {
    const strict = { ...quarantine.label.crowd, quarantine: { maximumShare: 0.05 } };
    const problems = await bench.problems(linesOf(agreed), {
      ...data,
      label: { ...data.label, crowd: strict },
    });
    expect(problems).toMatchObject([{ rule: 'crowd', value: '1 of 11' }]);
  });

  it.each([
    ['that are no object', [1, -1]],
    ['that say what nobody explained', { ada: 7 }],
    ['that only abstain', { ada: 0 }],
    ['that hide a vote in a list', { ada: [1] }],
  ])('refuse a row %s', async (_, ratings) => {
    const rows = [{ ...agreed[0]!, ratings }, ...agreed.slice(1)];
    const problems = await bench.problems(linesOf(rows), data);
    expect(problems).toMatchObject([{ rule: 'unknown-label', id: 't00', row: 1 }]);
  });

  it('must be explained for every class, each in one way', async () => {
    for (const votes of [{ bad: [-1] }, { bad: [-1], good: [-1] }, { bad: [-1], good: [1], other: [2] }]) {
      const crowd = { votes } as NonNullable<typeof data.label.crowd>;
      await expect(bench.ingest('', { ...data, label: { ...data.label, crowd } })).rejects.toThrow(
        /expected/,
      );
    }
  });
});
