import { readQuarantine } from '../../../src/core/data/index.js';
import { digestOf } from '../../../src/core/store/index.js';
import { type Bench, type DataInput, openBench } from './bench.js';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(() => bench.close());

const block: DataInput = {
  source: 'notes.csv',
  id: 'id',
  label: { column: 'label', classes: ['a', 'b'] },
  features: [{ columns: ['x'], type: 'number', minimum: 0, maximum: 10 }],
  columns: [{ name: 'note', type: 'text', length: { maximum: 5 } }],
  checks: [{ check: 'unique', columns: ['note', 'x'] }],
  quarantine: { maximumShare: 0.5 },
};
const good = Array.from({ length: 12 }, (_, i) => `r${i},${i % 2 ? 'a' : 'b'},${i % 10},n${i}`);
const bad = ['r20,a,99,ok', 'r21,a,1,much too long', 'r1,a,5,again', 'r22,b,3,same', 'r23,b,3,same'];
const content = ['id,label,x,note', ...good, ...bad].join('\n');

describe('quarantine', () => {
  it('sets broken rows aside with their reasons, and keeps the others', async () => {
    const result = await bench.ingest(content, block);
    if (result.kind !== 'accepted') throw new Error(result.summary.join('\n'));
    const { rows, account } = result.record;
    // r1 comes twice with two contents, and nobody can tell which is right: both are set aside.
    expect(rows.train + rows.validation + rows.test).toBe(11);
    expect(account).toMatchObject({ read: 17, refused: 6 });
    const set = await readQuarantine(bench.store, account!.quarantine!);
    expect(set.head).toMatchObject({ rows: 6, columns: ['id', 'label', 'x', 'note'] });
    expect(
      set.rows.map(({ row, id, reasons, releasable }) => [
        row,
        id,
        reasons.map(({ rule }) => rule),
        releasable,
      ]),
    ).toEqual([
      [2, 'r1', ['duplicate-id'], false],
      [13, 'r20', ['range'], false],
      [14, 'r21', ['length'], true],
      [15, 'r1', ['duplicate-id'], false],
      [16, 'r22', ['duplicate'], true],
      [17, 'r23', ['duplicate'], true],
    ]);
    expect(set.rows[2]!.values).toEqual(['r21', 'a', '1', 'much too long']);
  });

  it('refuses all when too many rows break a rule, and when the data block knows no quarantine', async () => {
    const strict = await bench.ingest(content, { ...block, quarantine: { maximumShare: 0.3 } });
    expect(strict).toMatchObject({ kind: 'refused', quarantine: expect.stringMatching(/^sha256:/) });
    expect(strict.kind === 'refused' && strict.summary.join()).toContain('quarantine-share (1)');
    const { quarantine: _, ...none } = block;
    expect(await bench.ingest(content, none)).toMatchObject({ kind: 'refused', inconclusive: false });
  });

  it('does not let the order of rows decide what is kept', async () => {
    const [header, ...lines] = content.split('\n');
    const turned = [header, ...lines.reverse()].join('\n');
    expect(await bench.parquetOf(await bench.ingest(turned, block))).toEqual(
      await bench.parquetOf(await bench.ingest(content, block)),
    );
  });

  it('lets rows in that a person decided on, and those only', async () => {
    const first = await bench.ingest(content, block);
    if (first.kind !== 'accepted') throw new Error(first.summary.join('\n'));
    const { rows } = await readQuarantine(bench.store, first.record.account!.quarantine!);
    const decision = digestOf('a decision');
    const released = async (chosen: readonly number[], text = content) => {
      const digests = rows.filter(({ row }) => chosen.includes(row)).map(({ digest }) => digest);
      const result = await bench.ingest(text, block, { releases: [{ decision, rows: digests }] });
      if (result.kind !== 'accepted') throw new Error(result.summary.join('\n'));
      const left = await readQuarantine(bench.store, result.record.account!.quarantine!);
      expect(result.record.account!.releases).toEqual([decision]);
      return left.rows.map(({ row }) => row);
    };
    expect(await released([14])).toEqual([2, 13, 15, 16, 17]);
    expect(await released([14, 16, 17])).toEqual([2, 13, 15]);
    // A feature out of its range and an id that comes twice are not a person's to let in.
    expect(await released([2, 13, 15])).toEqual([2, 13, 14, 15, 16, 17]);
    // Another content is another row.
    expect(await released([14], content.replace('much too long', 'much too longer'))).toContain(14);
  });
});
