import type { SnapshotManifest } from '../data/index.js';
import { RefusedError } from '../errors/index.js';
import { attacksThroughParent, type GateSpec, type Verdict } from '../spec/index.js';
import { canonicalJson, type Store } from '../store/index.js';
import { decodeEvidence, type EvidenceHeader } from './evidence.js';
import type { EvidenceRow, Gate } from './gate.js';
import { readManifestBlob } from './manifest-blob.js';
import { withGate } from './registry.js';
import { chooseSamples, type GateInputs, policyDigest, runKey, runKeyDerivation } from './run-key.js';

/**
 * Decides a verdict a second time, from its evidence alone, for someone who is about to sign it and did not measure:
 * the evidence must be about this model, snapshot, parent and gate, must hold as many samples (in all and of each class) as the
 * snapshot says, and must lead to this very verdict. Whether the measurements themselves are true only another
 * evaluation can tell.
 *
 * @param subject - what was to be measured; the parent counts where the gate attacks through it
 * @param gateSpec - the gate as the lifecycle demands it, from a source that the signer trusts
 * @param verdict - the verdict as handed over
 * @returns the verdict as decided here: sign this one
 * @throws RefusedError `verdict-forged` with every mismatch listed; `blob-missing` or `blob-corrupt` from the store
 */
export async function decideAgain(
  store: Store,
  gateSpec: GateSpec,
  verdict: Verdict,
  subject: Omit<GateInputs, 'gate'>,
): Promise<Verdict> {
  const [bytes, manifest] = await Promise.all([
    store.readBlob(verdict.evidence),
    readManifestBlob(store, subject.snapshot),
  ]);
  const { model, snapshot } = subject;
  const parent = attacksThroughParent(gateSpec) ? subject.parent : undefined;
  const inputs = { gate: gateSpec, model, snapshot, ...(parent && { parent }) };
  const again = withGate(gateSpec, (gate, spec): Verdict => {
    const { header, ...measurement } = decodeEvidence(bytes, gate.rowSchema);
    const mismatches = [
      ...headerMismatches(header, inputs, manifest),
      ...sampleMismatches(gate, spec, inDrawOrder(measurement.rows, header.runKey.value), manifest),
      ...(gate.contradictions?.(spec, measurement.rows) ?? []),
    ];
    if (mismatches.length > 0) {
      throw forged('The evidence is not about this model, snapshot, parent and gate', mismatches);
    }
    return {
      ...gate.decide(spec, {
        ...measurement,
        classes: manifest.label.classes,
        parent: parent !== undefined,
      }),
      evidence: verdict.evidence,
    };
  });
  const differences = [...new Set([...Object.keys(again), ...Object.keys(verdict)])].flatMap((field) =>
    expectSame(field, again[field as keyof Verdict], verdict[field as keyof Verdict]),
  );
  if (differences.length > 0) throw forged('The evidence does not give this verdict', differences);
  return again;
}

function headerMismatches(
  header: EvidenceHeader,
  inputs: GateInputs,
  manifest: SnapshotManifest,
): readonly string[] {
  return [
    ...expectSame('gate', inputs.gate, header.gate),
    ...expectSame('policy', policyDigest(inputs.gate), header.policy),
    ...expectSame('model', inputs.model, header.model),
    ...expectSame('snapshot', inputs.snapshot, header.snapshot),
    ...expectSame('parent', inputs.parent ?? null, header.parent ?? null),
    ...expectSame('runKey', { derivation: runKeyDerivation, value: runKey(inputs) }, header.runKey),
    ...expectSame('classes', manifest.label.classes, header.classes),
    ...expectSame('available', manifest.rows.test, header.available),
  ];
}

/** Rows in the order in which the key draws their samples: what is drawn first does not depend on what else there is. */
function inDrawOrder<Row extends EvidenceRow>(rows: readonly Row[], key: string): readonly Row[] {
  return chooseSamples(
    key,
    rows.map(({ id }) => id),
    rows.length,
  ).map((position) => rows[position]!);
}

/**
 * Hard samples must not get lost: as many rows as the gate draws, or after which it may stop, and no more of a class than
 * there are.
 *
 * @param rows - in the order drawn
 */
function sampleMismatches<Spec extends GateSpec, Row extends EvidenceRow>(
  gate: Gate<Spec, Row>,
  spec: Spec,
  rows: readonly Row[],
  manifest: SnapshotManifest,
): readonly string[] {
  const known = manifest.classRows.test;
  const counts = known.map((_, label) => rows.filter((row) => row.label === label).length);
  const most = gate.sampleCount(spec, manifest.rows.test);
  return [
    ...expectSame('samples', gate.stopsAfter?.(spec, rows, most) ?? most, rows.length),
    ...rows.filter(({ label }) => label >= known.length).map(({ id }) => `sample ${id}: unknown class`),
    ...counts.flatMap((count, label) =>
      count > known[label]!
        ? [`class ${manifest.label.classes[label]}: expected at most ${known[label]} samples, got ${count}`]
        : [],
    ),
  ];
}

function expectSame(field: string, expected: unknown, got: unknown): readonly string[] {
  const [one, other] = [expected, got].map((value) =>
    value === undefined ? 'nothing' : canonicalJson(value),
  );
  return one === other ? [] : [`${field}: expected ${one}, got ${other}`];
}

function forged(message: string, details: readonly string[]): RefusedError {
  return new RefusedError('verdict-forged', `${[message, ...details.slice(0, 1)].join(': ')}.`, details);
}
