import type { AttackSpec, EvasionGateSpec } from '../spec/index.js';
import {
  type AttackBench,
  answersOf,
  assault,
  ballOf,
  ballOfEverything,
  type Progress,
  positionsWhere,
} from './attack-bench.js';
import { climbsOf, lengthened } from './climbs.js';
import { type AttackOutcome, type EvasionRow, survivesGradients, survivesSuite } from './evasion-row.js';
import { progressOver, type Step } from './evasion-steps.js';
import { isSurelyBroken } from './majority.js';
import { runAttack } from './suite-attacks.js';

/** Attacks on what the suite left, which tell whether it had the power to break more. */
export function controlAttacks(bench: AttackBench, suite: readonly AttackSpec[]): readonly Step[] {
  return [
    { weight: 5, run: (rows, progress) => attackUnbounded(bench, rows, progress) },
    { weight: 10, run: (rows, progress) => attackLonger(bench, suite, rows, progress) },
    { weight: 10, run: (rows, progress) => attackRescaled(bench, suite, rows, progress) },
  ];
}

/** PGD, allowed to move anywhere in the valid range. */
async function attackUnbounded(
  { spec, subject, classifier }: AttackBench,
  rows: readonly EvasionRow[],
  progress: Progress,
): Promise<EvasionRow[]> {
  const { steps, restarts } = spec.pgd;
  const targets = positionsWhere(rows, survivesSuite);
  const { outcomes } = await assault(
    subject,
    {
      name: 'unbounded',
      targets,
      threat: ballOfEverything(subject, spec),
      ...answersOf(spec),
      run: (samples, threat, context) =>
        runAttack({ attack: 'pgd', steps, restarts }, classifier, samples, threat, context),
    },
    progress,
  );
  return withColumn(
    rows,
    'unbounded',
    targets,
    outcomes.map(({ broken }) => broken),
  );
}

/**
 * Twice as long and from other starts, the strongest attack on all that gradients had not broken; and on what only a black
 * box broke, all of them with five more restarts, to see whether they were short of gradients or of patience.
 */
async function attackLonger(
  { spec, subject, classifier }: AttackBench,
  suite: readonly AttackSpec[],
  rows: readonly EvasionRow[],
  progress: Progress,
): Promise<EvasionRow[]> {
  const climbs = climbsOf(suite, spec);
  const tries = [
    { climb: climbs[0]!, more: 0, onto: survivesSuite },
    ...climbs.map((climb) => ({ climb, more: 5, onto: (row: EvasionRow) => !survivesSuite(row) })),
  ];
  const stages = progressOver(progress, [4 * climbs.length, ...climbs.map(() => 1)]);
  let attacked = [...rows];
  for (const { climb, more, onto } of tries) {
    const patient = lengthened(climb, more);
    const targets = positionsWhere(
      attacked,
      (row) => survivesGradients(row) && row.longer !== true && onto(row),
    );
    const { outcomes } = await assault(
      subject,
      {
        name: 'longer',
        targets,
        threat: ballOf(subject, spec),
        ...answersOf(spec),
        run: (samples, threat, context) => runAttack(patient, classifier, samples, threat, context),
      },
      stages(),
      otherSeed(subject.seed),
    );
    attacked = withColumn(attacked, 'longer', targets, sureOf(spec, outcomes));
  }
  return attacked;
}

/** Powers of two by which the logits are scaled for the control: 0.01 and 100 lie inside. */
const SCALES = [-7, 7] as const;

/** The strongest attack again, as if the model had answered in other units. */
async function attackRescaled(
  { spec, subject, logitExponent, expectation }: AttackBench,
  suite: readonly AttackSpec[],
  rows: readonly EvasionRow[],
  progress: Progress,
): Promise<EvasionRow[]> {
  let rescaled = rows.map((row): EvasionRow => (survivesSuite(row) ? { ...row, rescaled: false } : row));
  const stages = progressOver(progress, [1, 1]);
  for (const scale of SCALES) {
    const classifier = await subject.openClassifier(logitExponent + scale, expectation);
    try {
      const targets = positionsWhere(rescaled, (row) => survivesSuite(row) && row.rescaled === false);
      const { outcomes } = await assault(
        subject,
        {
          name: 'rescaled',
          targets,
          threat: ballOf(subject, spec),
          ...answersOf(spec),
          run: (samples, threat, context) =>
            runAttack(climbsOf(suite, spec)[0]!, classifier, samples, threat, context),
        },
        stages(),
      );
      rescaled = withColumn(rescaled, 'rescaled', targets, sureOf(spec, outcomes));
    } finally {
      await classifier.close();
    }
  }
  return rescaled;
}

/** Another seed of the same run. */
function otherSeed(seed: number): number {
  return (seed ^ 0x5bd1e995) >>> 0;
}

/** Attacking again what nearly broke breaks it now and then, by luck of the draw, and shows no lack of power. */
function sureOf({ randomised }: EvasionGateSpec, outcomes: readonly AttackOutcome[]): readonly boolean[] {
  return outcomes.map((outcome) => isSurelyBroken(outcome, randomised));
}

function withColumn(
  rows: readonly EvasionRow[],
  column: 'unbounded' | 'longer' | 'rescaled',
  targets: readonly number[],
  broken: readonly boolean[],
): EvasionRow[] {
  const brokenAt = new Map(targets.map((position, i) => [position, broken[i]!]));
  return rows.map((row, position) => {
    const broken = brokenAt.get(position);
    return broken === undefined ? row : { ...row, [column]: broken };
  });
}
