import { z } from 'zod';
import { voteCertificate } from '../certification/index.js';
import { RefusedError } from '../errors/index.js';
import { type CertifiedPoisoningGateSpec, gateName } from '../spec/index.js';
import { cleanRowSchema } from './accuracy-gate.js';
import type { CurvePoint } from './certified-gate.js';
import type { Block, Gate, GateSubject, Measurement } from './gate.js';
import { type Finding, judgeMinimum, type Proportion, proportion, worstStatus } from './judgement.js';
import { sampleColumns } from './sample-columns.js';
import { sampleBytes, serveCleanly } from './serve-cleanly.js';

const certifiedPoisoningRowSchema = cleanRowSchema.safeExtend({
  /** How many networks chose each class; none where nothing votes. */
  votes: z.array(z.int().min(0)),
  /** Whatever is done to so many training samples, the prediction stays; 0 where nothing is certified. */
  radius: z.int().min(0),
});
export type CertifiedPoisoningRow = z.infer<typeof certifiedPoisoningRowSchema>;

/** Of how many samples is it proved that no poisoning of so many training samples changes a right answer? */
export const certifiedPoisoningGate: Gate<CertifiedPoisoningGateSpec, CertifiedPoisoningRow> = {
  kind: 'certified-poisoning',
  rowSchema: certifiedPoisoningRowSchema,
  columns: (rows) => [
    ...sampleColumns(rows),
    { name: 'radius', type: 'INTEGER', values: rows.map(({ radius }) => radius) },
    {
      name: 'votes_predicted',
      type: 'INTEGER',
      values: rows.map(({ votes, predicted }) => votes[predicted] ?? null),
    },
  ],
  shardSize: 10_000,
  sampleCount: (spec, available) => Math.min(spec.samples, available),
  measure: measureVotes,

  contradictions(_spec, rows) {
    const voters = new Set(rows.map(({ votes }) => votersIn(votes)));
    return [
      ...(voters.size > 1 ? [`expected as many votes on every sample, got ${[...voters].join(', ')}`] : []),
      ...rows
        .filter((row) => !followsFromVotes(row))
        .map(({ id }) => `sample ${id}: the certificate does not follow from the votes`),
    ];
  },

  decide(spec, { rows, obstacle }) {
    const certified = certifiedAt(rows, spec.radius, spec.confidence);
    const findings: readonly Finding[] = [
      judgeMinimum('Certified accuracy', certified, spec.minimum),
      ...(obstacle === undefined
        ? []
        : [{ status: 'inconclusive' as const, reason: `Nothing could be certified: ${obstacle}` }]),
    ];
    const radii = rows.map((row) => (row.correct ? row.radius : 0)).sort((one, other) => one - other);
    return {
      gate: gateName(spec),
      kind: 'certified-poisoning',
      status: worstStatus(findings),
      metric: 'certified accuracy',
      estimate: certified.estimate,
      interval: [...certified.interval],
      confidence: spec.confidence,
      n: rows.length,
      threshold: spec.minimum,
      reasons: findings.map(({ reason }) => reason),
      figures: {
        radius: spec.radius,
        voters: votersIn(rows[0]?.votes ?? []),
        accuracy: rows.filter(({ correct }) => correct).length / Math.max(1, rows.length),
        // At least half of the samples are right, with this radius or a longer one.
        'median radius': radii[Math.floor(radii.length / 2)] ?? 0,
        ...Object.fromEntries(
          poisoningCurve(spec, rows).map(({ radius, certified: { estimate } }) => [
            `certified accuracy at radius ${radius}`,
            estimate,
          ]),
        ),
      },
    };
  },
};

const usualRadii = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000];

/** Certified accuracy at the radius asked for, and at the usual ones as long as anything is certified. */
export function poisoningCurve(
  { radius: asked, confidence }: Pick<CertifiedPoisoningGateSpec, 'radius' | 'confidence'>,
  rows: readonly CertifiedPoisoningRow[],
): readonly CurvePoint[] {
  return [...new Set([...usualRadii, asked])]
    .sort((one, other) => one - other)
    .map((radius) => ({ radius, certified: certifiedAt(rows, radius, confidence) }))
    .filter(({ radius, certified }) => radius === asked || certified.estimate > 0);
}

function certifiedAt(rows: readonly CertifiedPoisoningRow[], radius: number, confidence: number): Proportion {
  const certified = rows.filter((row) => row.correct && row.radius >= radius);
  return proportion(certified.length, rows.length, confidence);
}

async function measureVotes(
  _spec: CertifiedPoisoningGateSpec,
  subject: GateSubject,
  block: Block = { from: 0, to: subject.samples.ids.length },
): Promise<Measurement<CertifiedPoisoningRow>> {
  const { samples, minimum, voters, signal, onProgress } = subject;
  if (voters === undefined) {
    const rows = await serveCleanly(subject, onProgress, block);
    return {
      rows: rows.map((row) => ({ ...row, votes: [], radius: 0 })),
      obstacle: 'the model was not trained in partitions.',
    };
  }
  const rows: CertifiedPoisoningRow[] = [];
  for (let index = block.from; index < block.to; index++) {
    signal?.throwIfAborted();
    const label = samples.labels[index]!;
    const votes = Array.from(await subject.serve(sampleBytes(samples.inputs, minimum.length, index)));
    if (!votes.every((count) => Number.isInteger(count) && count >= 0) || votersIn(votes) !== voters) {
      throw new RefusedError(
        'model-unreadable',
        `expected the votes of ${voters} networks, got ${votes.join(', ')}`,
      );
    }
    const { predicted, radius } = voteCertificate(votes);
    rows.push({ id: samples.ids[index]!, label, predicted, correct: predicted === label, votes, radius });
    onProgress?.((index + 1 - block.from) / (block.to - block.from));
  }
  return { rows };
}

function votersIn(votes: readonly number[]): number {
  return votes.reduce((sum, count) => sum + count, 0);
}

/** Whoever signs does not believe a radius: it is computed again from the votes. */
function followsFromVotes({ votes, predicted, radius }: CertifiedPoisoningRow): boolean {
  if (votes.length === 0) return radius === 0;
  const certificate = voteCertificate(votes);
  return certificate.predicted === predicted && certificate.radius === radius;
}
