import { z } from 'zod';
import { type AnyCertificate, certificateOf, openCertifier } from '../certification/index.js';
import { RefusedError } from '../errors/index.js';
import { type CertifiedGateSpec, gateName } from '../spec/index.js';
import { cleanRowSchema } from './accuracy-gate.js';
import type { Block, Gate, GateSubject, Measurement, Resumption } from './gate.js';
import { type Finding, judgeMinimum, type Proportion, proportion, worstStatus } from './judgement.js';
import { sampleColumns } from './sample-columns.js';
import { serveCleanly } from './serve-cleanly.js';

/** A line of the certified gate's evidence; `predicted` is what the certified classifier says, −1 where it abstains. */
const certifiedRowSchema = cleanRowSchema.safeExtend({
  /** However the input changes by at most this, the prediction stays; 0 where nothing is certified. */
  radius: z.number().min(0),
  /** By smoothing: the class that the first copies chose, and how many of the others were given it. */
  votes: z.strictObject({ leader: z.int().min(-1), count: z.int().min(0) }).nullable(),
});
export type CertifiedRow = z.infer<typeof certifiedRowSchema>;

/** Of how many samples is it proved that no input within the radius changes a right answer? */
export const certifiedGate: Gate<CertifiedGateSpec, CertifiedRow> = {
  kind: 'certified',
  rowSchema: certifiedRowSchema,
  columns: (rows) => [
    ...sampleColumns(rows),
    { name: 'radius', type: 'DOUBLE', values: rows.map(({ radius }) => radius) },
    { name: 'votes_leader', type: 'INTEGER', values: rows.map(({ votes }) => votes?.leader ?? null) },
    { name: 'votes_count', type: 'INTEGER', values: rows.map(({ votes }) => votes?.count ?? null) },
  ],
  shardSize: 50,
  sampleCount: (spec, available) => Math.min(spec.samples, available),
  measure: measureCertified,

  contradictions: (spec, rows) =>
    rows
      .filter((row) => !followsFromVotes(spec, row))
      .map(({ id }) => `sample ${id}: the certificate does not follow from the votes`),

  decide(spec, { rows, obstacle }) {
    const certified = certifiedAccuracy(rows, spec.epsilon, spec.confidence);
    const findings: readonly Finding[] = [
      judgeMinimum('Certified accuracy', certified, spec.minimum),
      ...(obstacle === undefined
        ? []
        : [{ status: 'inconclusive' as const, reason: `Nothing could be certified: ${obstacle}` }]),
    ];
    return {
      gate: gateName(spec),
      kind: 'certified',
      status: worstStatus(findings),
      metric: 'certified accuracy',
      estimate: certified.estimate,
      interval: [...certified.interval],
      confidence: spec.confidence,
      n: rows.length,
      threshold: spec.minimum,
      reasons: findings.map(({ reason }) => reason),
      figures: {
        epsilon: spec.epsilon,
        ...(spec.smoothing && { sigma: spec.smoothing.sigma }),
        accuracy: shareOf(rows, ({ correct }) => correct),
        abstentions: shareOf(rows, ({ predicted }) => predicted < 0),
        ...Object.fromEntries(
          certifiedCurve(spec, rows).map(({ radius, certified: { estimate } }) => [
            `certified accuracy at radius ${radius}`,
            estimate,
          ]),
        ),
      },
    };
  },
};

/** Certified accuracy at one radius. */
export interface CurvePoint {
  readonly radius: number;
  readonly certified: Proportion;
}

/** A curve has so many points beyond 0 at most. */
const CURVE_POINTS = 8;

/**
 * Certified accuracy at multiples of half the radius asked for, up to that radius at least, and then as long as anything is
 * certified. A method that bounds one ball certifies that radius or nothing.
 */
export function certifiedCurve(
  { method, epsilon, confidence }: CertifiedGateSpec,
  rows: readonly CertifiedRow[],
): readonly CurvePoint[] {
  const at = (radius: number): CurvePoint => ({
    radius,
    certified: certifiedAccuracy(rows, radius, confidence),
  });
  if (method !== 'smoothing') return [at(epsilon)];
  return Array.from({ length: CURVE_POINTS }, (_, i) =>
    at(Number((((i + 1) * epsilon) / 2).toPrecision(12))),
  ).filter(({ radius, certified }) => radius <= epsilon || certified.estimate > 0);
}

function certifiedAccuracy(rows: readonly CertifiedRow[], radius: number, confidence: number): Proportion {
  const certified = rows.filter((row) => row.correct && row.radius >= radius);
  return proportion(certified.length, rows.length, confidence);
}

function shareOf(rows: readonly CertifiedRow[], holds: (row: CertifiedRow) => boolean): number {
  return rows.length === 0 ? 0 : rows.filter(holds).length / rows.length;
}

/** Certificates after which an interrupted measurement goes on: one by smoothing may take a minute, one by bounds seldom does. */
const KEEP_EVERY = { smoothing: 1, crown: 5, interval: 25 } as const satisfies Record<
  CertifiedGateSpec['method'],
  number
>;

/** What bounds refuse of models that answer all the same. */
const notCertifiable: ReadonlySet<string> = new Set(['operator-unsupported', 'model-unreadable']);

async function measureCertified(
  spec: CertifiedGateSpec,
  subject: GateSubject,
  block: Block = { from: 0, to: subject.samples.ids.length },
  resumption?: Resumption<CertifiedRow>,
): Promise<Measurement<CertifiedRow>> {
  const { samples, minimum, signal, onProgress, certifiable, seed } = subject;
  const certifier = await openCertifier(certifiable, spec, seed).catch((error: unknown) => {
    if (error instanceof RefusedError && notCertifiable.has(error.code)) return error.message;
    throw error;
  });
  if (typeof certifier === 'string') {
    const rows = await serveCleanly(subject, onProgress, block);
    return { rows: rows.map((row) => ({ ...row, radius: 0, votes: null })), obstacle: certifier };
  }
  try {
    const rows = [...(resumption?.from?.rows ?? [])];
    for (let index = block.from + rows.length; index < block.to; index++) {
      signal?.throwIfAborted();
      const id = samples.ids[index]!;
      const label = samples.labels[index]!;
      const sample = samples.inputs.slice(index * minimum.length, (index + 1) * minimum.length);
      const certificate = await certifier.certify(sample, id);
      rows.push(rowOf(id, label, certificate));
      onProgress?.((index + 1 - block.from) / (block.to - block.from));
      if (index + 1 < block.to && rows.length % KEEP_EVERY[spec.method] === 0) {
        await resumption?.keep({ steps: rows.length, rows });
      }
    }
    return { rows };
  } finally {
    await certifier.close();
  }
}

function rowOf(
  id: string,
  label: number,
  { predicted, radius, leader, count }: AnyCertificate,
): CertifiedRow {
  const votes = leader === undefined || count === undefined ? null : { leader, count };
  return { id, label, predicted, correct: predicted === label, radius, votes };
}

/** Whoever signs does not believe a radius: it is computed again from the votes. */
function followsFromVotes({ smoothing, epsilon }: CertifiedGateSpec, row: CertifiedRow): boolean {
  if (!smoothing) return row.votes === null && (row.radius === 0 || row.radius === epsilon);
  if (row.votes === null || row.votes.count > smoothing.n) return false;
  const { predicted, radius } = certificateOf(row.votes, smoothing);
  return predicted === row.predicted && Math.abs(radius - row.radius) <= 1e-9 * radius;
}
