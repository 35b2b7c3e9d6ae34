import { type ExtractionGateSpec, gateName } from '../spec/index.js';
import { calibrationError } from './calibration-error.js';
import { measureExtraction } from './extraction-measurement.js';
import { type ExtractionRow, extractionRowSchema } from './extraction-row.js';
import type { Gate } from './gate.js';
import { describe, type Finding, figure, judgeMaximum, proportion, worstStatus } from './judgement.js';
import { sampleColumns } from './sample-columns.js';

/**
 * How well does a copy that is stolen through the endpoint, within the query budget, agree with the model on samples that it never
 * asked about? Agreement (fidelity) is what a thief who wants to attack the model, or to sell its answers, needs (Jagielski, Carlini,
 * Berthelot, Kurakin, Papernot, "High accuracy and high fidelity extraction of neural networks", USENIX Security 2020).
 */
export const extractionGate: Gate<ExtractionGateSpec, ExtractionRow> = {
  kind: 'extraction',
  rowSchema: extractionRowSchema,
  columns: (rows) => [
    ...sampleColumns(rows),
    { name: 'confidence', type: 'DOUBLE', values: rows.map(({ confidence }) => confidence) },
    { name: 'told', type: 'DOUBLE', values: rows.map(({ told }) => told) },
    ...(['copies', 'copiesToldAll'] as const).flatMap((field) =>
      Object.keys(rows[0]?.[field] ?? {}).map((attack) => ({
        name: `${field === 'copies' ? 'copy' : 'copy_told_all'}_${attack.replaceAll('-', '_')}`,
        type: 'INTEGER' as const,
        values: rows.map((row) => row[field][attack] ?? null),
      })),
    ),
  ],
  // A copy is stolen once, whoever is asked about it.
  shardSize: Number.POSITIVE_INFINITY,
  sampleCount: (spec, available) => Math.min(spec.samples, available),
  measure: measureExtraction,

  decide(spec, { rows, obstacle }) {
    const best = bestCopy(rows, 'copies', spec.confidence);
    const bestToldAll = bestCopy(rows, 'copiesToldAll', spec.confidence);
    const told = rows.filter((row) => row.told > 0);
    return {
      gate: gateName(spec),
      kind: 'extraction',
      status: worstStatus(findingsOf(spec, rows, obstacle)),
      metric: 'agreement of a stolen copy',
      estimate: best.agreement.estimate,
      interval: [...best.agreement.interval],
      confidence: spec.confidence,
      n: rows.length,
      threshold: spec.maximum,
      bound: 'maximum',
      reasons: findingsOf(spec, rows, obstacle).map(({ reason }) => reason),
      figures: {
        queries: spec.queries,
        ...agreements('agreement of', rows, 'copies', spec.confidence),
        ...agreements('agreement without hardening of', rows, 'copiesToldAll', spec.confidence),
        'agreement without hardening': bestToldAll.agreement.estimate,
        'agreement of a constant guess': constantGuess(rows),
        'share of answers with probabilities': share(rows, (row) => row.told > 0),
        'share of answers that probabilities contradict': share(rows, (row) => row.contradicted),
        'calibration error': calibrationError(
          told.map((row) => ({ confidence: row.told, correct: row.correct })),
        ),
        'calibration error without hardening': calibrationError(rows),
      },
    };
  },
};

function findingsOf(
  spec: ExtractionGateSpec,
  rows: readonly ExtractionRow[],
  obstacle: string | undefined,
): readonly Finding[] {
  if (obstacle !== undefined) {
    return [{ status: 'inconclusive', reason: `Nothing could be stolen: ${obstacle}.` }];
  }
  const best = bestCopy(rows, 'copies', spec.confidence);
  const toldAll = bestCopy(rows, 'copiesToldAll', spec.confidence);
  const guess = constantGuess(rows);
  const subject = `Agreement of the copy that ${best.attack} stole with ${spec.queries} queries`;
  return [
    judgeMaximum(subject, best.agreement, spec.maximum),
    toldAll.agreement.interval[0] > guess
      ? {
          status: 'pass',
          reason: `Told everything, the thief reaches ${figure(toldAll.agreement.estimate)}: it knows its trade.`,
        }
      : {
          status: 'inconclusive',
          reason: `Told everything, the thief reaches ${describe(toldAll.agreement)}: not clearly more than ${figure(guess)}, which always answering alike would reach. It is too weak to prove anything.`,
        },
  ];
}

function bestCopy(rows: readonly ExtractionRow[], field: 'copies' | 'copiesToldAll', confidence: number) {
  const attacks = Object.keys(rows[0]?.[field] ?? {});
  const stolen = attacks.map((attack) => ({
    attack,
    agreement: agreementOf(rows, field, attack, confidence),
  }));
  return stolen.reduce(
    (best, candidate) => (candidate.agreement.estimate > best.agreement.estimate ? candidate : best),
    stolen[0] ?? { attack: 'nobody', agreement: proportion(0, rows.length, confidence) },
  );
}

function agreements(
  name: string,
  rows: readonly ExtractionRow[],
  field: 'copies' | 'copiesToldAll',
  confidence: number,
): Readonly<Record<string, number>> {
  return Object.fromEntries(
    Object.keys(rows[0]?.[field] ?? {}).map((attack) => [
      `${name} ${attack}`,
      agreementOf(rows, field, attack, confidence).estimate,
    ]),
  );
}

function agreementOf(
  rows: readonly ExtractionRow[],
  field: 'copies' | 'copiesToldAll',
  attack: string,
  confidence: number,
) {
  const agreeing = rows.filter((row) => row.predicted >= 0 && row[field][attack] === row.predicted);
  return proportion(agreeing.length, rows.length, confidence);
}

/** How often the model gives its most frequent answer. */
function constantGuess(rows: readonly ExtractionRow[]): number {
  const counts = new Map<number, number>();
  for (const { predicted } of rows) counts.set(predicted, (counts.get(predicted) ?? 0) + 1);
  return rows.length === 0 ? 0 : Math.max(...counts.values()) / rows.length;
}

function share(rows: readonly ExtractionRow[], holds: (row: ExtractionRow) => boolean): number {
  return rows.length === 0 ? 0 : rows.filter(holds).length / rows.length;
}
