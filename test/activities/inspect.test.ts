import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { createIngest } from '../../src/activities/ingest.js';
import { randomStream } from '../../src/core/random/index.js';
import { type DataSpec, parseLifecycle } from '../../src/core/spec/index.js';
import { openStore, type Store } from '../../src/core/store/index.js';
import { attempt } from './attempt.js';

let folder: string;
let store: Store;
let digits: DataSpec;
let csv: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'inspect-'));
  store = await openStore(pathToFileURL(path.join(folder, 'store')).href);
  digits = parseLifecycle(await readFile('examples/digits/lifecycle.yaml'), 'lifecycle.yaml').data;
  csv = await readFile('examples/digits/digits.csv', 'utf8');
});
afterAll(() => rm(folder, { recursive: true }));

/** BadNets: a bright square in the lower right corner of one in thirty of the other digits, which are called 0. */
function poisoned(): string {
  const [header, ...rows] = csv.trimEnd().split(/\r?\n/);
  const columns = header!.split(',');
  const [id, label] = ['id', 'label'].map((name) => columns.indexOf(name)) as [number, number];
  const spots = ['p66', 'p67', 'p76', 'p77'].map((name) => columns.indexOf(name));
  const changed = rows.map((row) => {
    const cells = row.split(',');
    if (cells[label] === '0' || randomStream(1, 'poison', cells[id]!).uniform() > 1 / 30) return row;
    for (const spot of spots) cells[spot] = '16';
    cells[label] = '0';
    return cells.join(',');
  });
  return [header, ...changed].join('\n');
}

const ingested = async (text: string, inspect?: NonNullable<DataSpec['inspect']>) => {
  const source = await store.putBlob(Buffer.from(text));
  const activity = createIngest({ store, identity: 'a', scratch: path.join(folder, 'scratch') });
  return attempt().run(() => activity({ source, data: { ...digits, ...(inspect && { inspect }) } }));
};
const inspect = { detectors: ['trigger-search' as const], falseAlarmRate: 0.01, seed: 1 };

describe('digits', () => {
  it('with a backdoor are refused, with the class that it leads to and a report', async () => {
    const result = await ingested(poisoned(), inspect);
    if (result.kind !== 'refused') throw new Error('expected a refusal');
    expect(result.code).toBe('data-refused');
    expect(result.reasons[1]).toMatch(
      /^trigger-search: 1 of 10 classes suspect .* to take others to class 0, got/,
    );
    const report = JSON.parse(Buffer.from(await store.readBlob(result.evidence[0]!)).toString()) as {
      readonly inspections: readonly { readonly status: string }[];
    };
    expect(report.inspections).toMatchObject([{ detector: 'trigger-search', status: 'suspicious' }]);
  });

  it('with a backdoor are accepted where nobody looks for one, and so are digits without one that are looked at', async () => {
    expect((await ingested(poisoned())).kind).toBe('done');
    expect((await ingested(csv, inspect)).kind).toBe('done');
  });

  it('are not looked at by what can say nothing of them', async () => {
    const result = await ingested(csv, { ...inspect, detectors: ['association'] });
    expect(result).toMatchObject({ kind: 'refused', code: 'spec-invalid' });
  });
});

it('every detector of a table, a text or a picture can be asked for in a lifecycle', async () => {
  const { inspectionDetectors } = await import('../../src/core/spec/inspection.js');
  const { detectors } = await import('../../src/core/poisoning/index.js');
  const known = detectors.map(({ name }) => name).filter((name) => name !== 'contributors');
  expect([...inspectionDetectors]).toEqual(known);
});
