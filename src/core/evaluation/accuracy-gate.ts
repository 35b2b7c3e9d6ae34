import { z } from 'zod';
import { type AccuracyGateSpec, gateName } from '../spec/index.js';
import type { EvidenceRow, Gate } from './gate.js';
import { type Finding, judgeMinimum, proportion, worstStatus } from './judgement.js';
import { sampleColumns } from './sample-columns.js';
import { serveCleanly } from './serve-cleanly.js';

/** A row whose `correct` follows from the rest of it. */
export const cleanRowSchema = z
  .strictObject({
    id: z.string(),
    label: z.int().min(0),
    predicted: z.int().min(-1),
    correct: z.boolean(),
  })
  .refine((row) => row.correct === (row.predicted === row.label), {
    path: ['correct'],
    message: 'expected correct to say whether predicted is label',
  });

/** Does the model answer right, over all samples and, where asked, in every class? */
export const accuracyGate: Gate<AccuracyGateSpec, EvidenceRow> = {
  kind: 'accuracy',
  rowSchema: cleanRowSchema,
  columns: sampleColumns,
  shardSize: 10_000,
  sampleCount: (_spec, available) => available,

  async measure(_spec, subject, block) {
    return { rows: await serveCleanly(subject, subject.onProgress, block) };
  },

  decide(spec, { rows, classes }) {
    const overall = proportion(countCorrect(rows), rows.length, spec.confidence);
    const findings = [judgeMinimum('Accuracy', overall, spec.minimum), ...judgeClasses(spec, rows, classes)];
    const figures: Record<string, number> = {};
    classes.forEach((name, label) => {
      const members = rows.filter((row) => row.label === label);
      if (members.length > 0) figures[`accuracy of class ${name}`] = countCorrect(members) / members.length;
    });
    return {
      gate: gateName(spec),
      kind: 'accuracy',
      status: worstStatus(findings),
      metric: 'accuracy',
      estimate: overall.estimate,
      interval: [...overall.interval],
      confidence: spec.confidence,
      n: rows.length,
      threshold: spec.minimum,
      reasons: findings.map(({ reason }) => reason),
      figures,
    };
  },
};

/**
 * One interval a class at confidence 1 − (1 − c) / classes, so that with probability c *all* of them hold (Bonferroni):
 * with many classes, some would look bad by chance alone.
 */
function judgeClasses(
  spec: AccuracyGateSpec,
  rows: readonly EvidenceRow[],
  classes: readonly (string | number)[],
): readonly Finding[] {
  const minimum = spec.minimumPerClass;
  if (minimum === undefined) return [];
  const confidence = 1 - (1 - spec.confidence) / classes.length;
  return classes.flatMap((name, label): readonly Finding[] => {
    const members = rows.filter((row) => row.label === label);
    if (members.length === 0) {
      return [{ status: 'inconclusive', reason: `Class ${name} has no test samples to judge it by.` }];
    }
    const finding = judgeMinimum(
      `Accuracy of class ${name}`,
      proportion(countCorrect(members), members.length, confidence),
      minimum,
    );
    // A class has few samples: only what is certainly below refuses the model.
    return finding.status === 'fail' ? [finding] : [];
  });
}

function countCorrect(rows: readonly EvidenceRow[]): number {
  return rows.filter(({ correct }) => correct).length;
}
