import {
  type AttackSpec,
  type EvasionGateSpec,
  gateName,
  type Norm,
  type SuiteAttackName,
  suiteOf,
} from '../spec/index.js';
import { clopperPearson, confidenceSequence } from '../statistics/index.js';
import { nearestFigures } from './attack-figures.js';
import type { ControlEvidence } from './controls/control.js';
import { judgeControls } from './controls/registry.js';
import { evasionColumns } from './evasion-columns.js';
import { measureEvasion } from './evasion-measurement.js';
import { type EvasionRow, evasionRowSchema, isBrokenBy, isRobust } from './evasion-row.js';
import type { Gate } from './gate.js';
import { type Finding, judgeMinimum, type Proportion, proportion, worstStatus } from './judgement.js';
import { applicable, sparedBy } from './suite-attacks.js';

/** A gate that may stop early looks after each of so many samples, however they are sharded. */
const LOOK_EVERY = 64;

/** Does the model answer right however an adversary moves the input inside the ball? */
export const evasionGate: Gate<EvasionGateSpec, EvasionRow> = {
  kind: 'evasion',
  rowSchema: evasionRowSchema,
  columns: evasionColumns,
  shardSize: 128,
  sampleCount: (spec, available) => Math.min(spec.samples, available),
  measure: measureEvasion,

  stopsAfter(spec, rows, most) {
    if (!spec.earlyStop) return most;
    for (let seen = LOOK_EVERY; seen < Math.min(most, rows.length + 1); seen += LOOK_EVERY) {
      const { interval } = robustAccuracy(spec, rows.slice(0, seen));
      if (interval[0] >= spec.minimum || interval[1] < spec.minimum) return seen;
    }
    return most;
  },

  contradictions: (spec, rows) => rows.flatMap((row) => contradictions(spec, row)),

  decide(spec, { rows, obstacle, parent = false }) {
    const suite = applicable(suiteOf(spec), { gradients: obstacle === undefined, parent });
    const robust = robustAccuracy(spec, rows);
    // Attacks bound robustness from above: what they broke is broken, so a failure stands whatever the controls say.
    const findings: readonly Finding[] = [
      judgeMinimum('Robust accuracy', robust, spec.minimum),
      ...(obstacle === undefined
        ? []
        : [
            {
              status: 'inconclusive' as const,
              reason: `The model cannot be attacked by gradient: ${obstacle}`,
            },
          ]),
      ...judgeControls(controlEvidence(spec, suite, rows), obstacle === undefined),
    ];
    return {
      gate: gateName(spec),
      kind: 'evasion',
      status: worstStatus(findings),
      metric: 'robust accuracy',
      estimate: robust.estimate,
      interval: [...robust.interval],
      confidence: spec.confidence,
      n: rows.length,
      threshold: spec.minimum,
      reasons: findings.map(({ reason }) => reason),
      figures: figuresOf(spec, suite, rows),
    };
  },
};

/** What controls look at. */
export function controlEvidence(
  { confidence, randomised, patch }: EvasionGateSpec,
  suite: readonly AttackSpec[],
  rows: readonly EvasionRow[],
): ControlEvidence {
  return { rows, confidence, suite, ...(randomised && { randomised }), ...(patch && { patch: true }) };
}

/** An answer of a randomised model counts as most of the answers that the policy asks for. */
function contradictions(
  { randomised }: EvasionGateSpec,
  { id, attacks, answers }: EvasionRow,
): readonly string[] {
  const most = randomised?.answers;
  const counts = Object.values(attacks ?? {}).flatMap((outcome) => (outcome ? [outcome] : []));
  const wrong = counts.some(
    (outcome) =>
      (outcome.wrong === undefined) !== (most === undefined) ||
      (most !== undefined && (outcome.wrong! > most || (outcome.broken && 2 * outcome.wrong! <= most))),
  );
  const rounds = answers ? [answers.first, answers.again, answers.attacked ?? 0] : [];
  return [
    ...(wrong ? [`sample ${id}: outcomes do not follow from the answers`] : []),
    ...((answers === undefined) !== (most === undefined) || rounds.some((count) => count > most!)
      ? [`sample ${id}: expected ${most ? `${most} answers a round` : 'one answer a request'}`]
      : []),
  ];
}

function robustAccuracy({ earlyStop, confidence }: EvasionGateSpec, rows: readonly EvasionRow[]): Proportion {
  const intervalOf = earlyStop ? confidenceSequence : clopperPearson;
  return proportion(rows.filter(isRobust).length, rows.length, confidence, intervalOf);
}

/** What one sticker for all does to samples that it was not learned from. */
function stickerFigures(rows: readonly EvasionRow[]): Record<string, number> {
  const judged = rows.flatMap(({ attacks }) => (attacks?.sticker?.heldOut ? [attacks.sticker] : []));
  if (judged.length === 0) return {};
  return {
    'share of held-out samples that one sticker breaks':
      judged.filter(({ broken }) => broken).length / judged.length,
  };
}

/** How far boundaries are from the samples that attacks which look for the nearest ones were given. */
function boundaryFigures(
  norm: Norm,
  suite: readonly SuiteAttackName[],
  rows: readonly EvasionRow[],
): Record<string, number> {
  return Object.fromEntries(
    suite.flatMap((name) => {
      const { median } = nearestFigures(rows.flatMap(({ attacks }) => attacks?.[name] ?? [])) ?? {};
      return typeof median === 'number' ? [[`median minimal distance (${norm}) by ${name}`, median]] : [];
    }),
  );
}

function figuresOf(
  { norm, epsilon, randomised }: EvasionGateSpec,
  attacks: readonly AttackSpec[],
  rows: readonly EvasionRow[],
): Record<string, number> {
  const suite = attacks.map(({ attack }) => attack);
  const share = (holds: (row: EvasionRow) => boolean): number =>
    rows.length === 0 ? 0 : rows.filter(holds).length / rows.length;
  const cosines = rows.flatMap(({ gradient }) => gradient?.cosine ?? []).sort((one, other) => one - other);
  const median = cosines[Math.floor(cosines.length / 2)];
  return {
    epsilon,
    ...(randomised && { draws: randomised.draws, 'answers a request': randomised.answers }),
    'clean accuracy': share(({ correct }) => correct),
    ...Object.fromEntries(
      suite.map((name, i) => {
        // FGSM and PGD see all that is right as it is; theirs is what *they* left. The others see survivors only: theirs
        // is what is left after them and all before them.
        const alone = sparedBy(name).length === 0;
        const sofar = alone ? [name] : suite.slice(0, i + 1);
        return [
          `robust accuracy ${alone ? 'against' : 'after'} ${name}`,
          share((row) => row.correct && !isBrokenBy(sofar, row.attacks)),
        ];
      }),
    ),
    ...stickerFigures(rows),
    ...boundaryFigures(norm, suite, rows),
    ...(median === undefined ? {} : { 'median gradient cosine': median }),
  };
}
