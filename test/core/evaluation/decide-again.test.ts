import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { snapshotManifestSchema } from '../../../src/core/data/index.js';
import {
  decideAgain,
  type EvidenceHeader,
  type EvidenceRow,
  encodeEvidence,
  policyDigest,
  runKey,
  withGate,
} from '../../../src/core/evaluation/index.js';
import { runKeyDerivation } from '../../../src/core/evaluation/run-key.js';
import { type Digest, type GateSpec, gatesSchema, type Verdict } from '../../../src/core/spec/index.js';
import { digestOf, openStore, type Store } from '../../../src/core/store/index.js';

const [gate, lenient] = gatesSchema.parse([
  { gate: 'accuracy', minimum: 0.7 },
  { gate: 'accuracy', minimum: 0.1, name: 'lenient' },
]) as [GateSpec, GateSpec];
const model = digestOf('a model');
const other = digestOf('another');
const classes = ['cat', 'dog'];
/** 60 cats and 40 dogs; every third answer is wrong. */
const rows: readonly EvidenceRow[] = Array.from({ length: 100 }, (_, i) => {
  const label = i < 60 ? 0 : 1;
  const predicted = i % 3 === 0 ? 1 - label : label;
  return { id: `id-${i}`, label, predicted, correct: predicted === label };
});

let root: string;
let store: Store;
let snapshot: Digest;

beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'decide-again-'));
  store = await openStore(pathToFileURL(path.join(root, 'store')).href);
  const counts = { train: 0, validation: 0, test: rows.length };
  const folder = path.join(root, 'snapshot');
  await mkdir(folder);
  await writeFile(
    path.join(folder, 'snapshot.json'),
    JSON.stringify(
      snapshotManifestSchema.parse({
        version: 1,
        source: other,
        id: 'id',
        label: { column: 'animal', classes },
        features: [{ column: 'weight', type: 'number', minimum: 0, maximum: 1, scale: 'none' }],
        shape: [1],
        rows: counts,
        classRows: { train: [0, 0], validation: [0, 0], test: [60, 40] },
        statistics: {},
      }),
    ),
  );
  snapshot = await store.putTree(folder);
});

afterAll(() => rm(root, { recursive: true }));

const headerFor = (spec: GateSpec, changes: Partial<EvidenceHeader> = {}): EvidenceHeader => ({
  version: 1,
  gate: spec,
  policy: policyDigest(spec),
  model,
  snapshot,
  runKey: { derivation: runKeyDerivation, value: runKey({ gate: spec, model, snapshot }) },
  available: rows.length,
  classes,
  environment: {},
  ...changes,
});

/** Stores evidence and the verdict that follows from its rows, whatever its header says. */
async function verdictOn(
  header: EvidenceHeader,
  evidenceRows: readonly EvidenceRow[],
  spec = gate,
): Promise<Verdict> {
  const evidence = await store.putBlob(encodeEvidence(header, evidenceRows));
  return withGate(spec, (own, typed) => ({
    ...own.decide(typed, { rows: evidenceRows.map((row) => own.rowSchema.parse(row)), classes }),
    evidence,
  }));
}

const forgery = (detail: string | RegExp) => ({
  code: 'verdict-forged',
  details: expect.arrayContaining([expect.stringMatching(detail)]),
});

describe('deciding again', () => {
  it('gives the verdict that the evidence gives', async () => {
    const verdict = await verdictOn(headerFor(gate), rows);
    expect(verdict.status).toBe('inconclusive');
    await expect(decideAgain(store, gate, verdict, { model, snapshot })).resolves.toEqual(verdict);
  });

  it('writes equal evidence for equal rows in any order', () => {
    expect(encodeEvidence(headerFor(gate), [...rows].reverse())).toEqual(
      encodeEvidence(headerFor(gate), rows),
    );
  });

  it.each<[string, Partial<Verdict>, string]>([
    ['status', { status: 'pass' }, 'status: expected "inconclusive", got "pass"'],
    ['estimate', { estimate: 0.99 }, 'estimate: expected 0.66, got 0.99'],
    ['interval', { interval: [0.9, 1] }, 'interval: expected'],
    ['reasons', { reasons: ['All is well.'] }, 'reasons: expected'],
    ['threshold', { threshold: 0.1 }, 'threshold: expected 0.7, got 0.1'],
    ['name', { gate: 'another-gate' }, 'gate: expected "accuracy", got "another-gate"'],
    ['figures', { figures: {} }, 'figures: expected'],
  ])('refuses a verdict with another %s than its evidence gives', async (_field, change, detail) => {
    const verdict = { ...(await verdictOn(headerFor(gate), rows)), ...change };
    await expect(decideAgain(store, gate, verdict, { model, snapshot })).rejects.toMatchObject(
      forgery(detail),
    );
  });

  it('refuses a field that verdicts do not have', async () => {
    const verdict = { ...(await verdictOn(headerFor(gate), rows)), waived: true };
    await expect(decideAgain(store, gate, verdict, { model, snapshot })).rejects.toMatchObject(
      forgery('waived: expected nothing, got true'),
    );
  });

  it.each<[string, () => Partial<EvidenceHeader>, string]>([
    ['model', () => ({ model: other }), 'model: expected'],
    ['snapshot', () => ({ snapshot: other }), 'snapshot: expected'],
    ['gate', () => ({ gate: lenient }), 'gate: expected'],
    ['policy', () => ({ policy: policyDigest(lenient) }), 'policy: expected'],
    [
      'run key',
      () => ({ runKey: { derivation: runKeyDerivation, value: 'a'.repeat(64) } }),
      'runKey: expected',
    ],
    ['number of test samples', () => ({ available: 50 }), 'available: expected 100, got 50'],
    ['set of classes', () => ({ classes: ['dog', 'cat'] }), 'classes: expected'],
  ])('refuses evidence about another %s', async (_field, changes, detail) => {
    const verdict = await verdictOn(headerFor(gate, changes()), rows);
    await expect(decideAgain(store, gate, verdict, { model, snapshot })).rejects.toMatchObject(
      forgery(detail),
    );
  });

  it('refuses the evidence and verdict of a gate that demands less', async () => {
    const verdict = await verdictOn(headerFor(lenient), rows, lenient);
    expect(verdict.status).toBe('pass');
    await expect(decideAgain(store, gate, verdict, { model, snapshot })).rejects.toMatchObject(
      forgery('policy: expected'),
    );
  });

  it('refuses evidence that has lost the hard samples', async () => {
    const verdict = await verdictOn(
      headerFor(gate),
      rows.filter(({ correct }) => correct),
    );
    expect(verdict.status).toBe('pass');
    await expect(decideAgain(store, gate, verdict, { model, snapshot })).rejects.toMatchObject(
      forgery('samples: expected 100, got 66'),
    );
  });

  it('refuses evidence in which hard samples became easy ones of another class', async () => {
    const verdict = await verdictOn(
      headerFor(gate),
      rows.map((row) => ({ ...row, label: row.predicted, correct: true })),
    );
    await expect(decideAgain(store, gate, verdict, { model, snapshot })).rejects.toMatchObject(
      forgery(/class (cat|dog): expected at most (60|40) samples/),
    );
  });

  const lines = (change: (lines: string[]) => readonly string[]): Uint8Array =>
    new TextEncoder().encode(
      change(new TextDecoder().decode(encodeEvidence(headerFor(gate), rows)).split('\n')).join('\n'),
    );
  it.each<[string, () => Uint8Array, RegExp]>([
    ['is empty', () => new Uint8Array(), /^Line 1 .*expected JSON/],
    [
      'is cut off',
      () => lines((all) => all.slice(0, -1)),
      /^Line 102 .*expected every line to end|^Line 101/,
    ],
    ['is not JSON', () => lines((all) => ['{', ...all.slice(1)]), /^Line 1 .*expected JSON/],
    [
      'names a sample twice',
      () => lines((all) => [all[0]!, all[1]!, ...all.slice(1)]),
      /^Line 3 .*each once, got id-0/,
    ],
    [
      'contradicts itself',
      () => lines((all) => all.map((line) => line.replace('"correct":false', '"correct":true'))),
      /correct: expected correct to say/,
    ],
    [
      'has rows of another gate',
      () => lines((all) => all.map((line, i) => (i === 5 ? line.replace('{', '{"attacks":null,') : line))),
      /^Line 6/,
    ],
    [
      'has a header of another version',
      () => lines((all) => all.map((line) => line.replace('"version":1', '"version":2'))),
      /^Line 1 .*version/,
    ],
  ])('refuses evidence that %s', async (_what, bytes, message) => {
    const verdict = { ...(await verdictOn(headerFor(gate), rows)), evidence: await store.putBlob(bytes()) };
    await expect(decideAgain(store, gate, verdict, { model, snapshot })).rejects.toMatchObject({
      code: 'verdict-forged',
      message: expect.stringMatching(message),
    });
  });

  it('refuses evidence that is not there', async () => {
    const verdict = { ...(await verdictOn(headerFor(gate), rows)), evidence: other };
    await expect(decideAgain(store, gate, verdict, { model, snapshot })).rejects.toMatchObject({
      code: 'blob-missing',
    });
  });
});
