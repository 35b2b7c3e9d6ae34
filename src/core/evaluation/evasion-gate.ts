import { type EvasionGateSpec, gateName, suiteOf } from '../spec/index.js';
import { judgeControls } from './controls/registry.js';
import { measureEvasion } from './evasion-measurement.js';
import { type EvasionRow, evasionRowSchema, isBrokenBy, isRobust } from './evasion-row.js';
import type { Gate } from './gate.js';
import { type Finding, judgeMinimum, proportion, worstStatus } from './judgement.js';
import { sparedBy } from './suite-attacks.js';

/** Does the model answer right however an adversary moves the input inside the ball? */
export const evasionGate: Gate<EvasionGateSpec, EvasionRow> = {
  kind: 'evasion',
  rowSchema: evasionRowSchema,
  sampleCount: (spec, available) => Math.min(spec.samples, available),
  measure: measureEvasion,

  decide(spec, { rows, obstacle }) {
    const suite = suiteOf(spec);
    const robust = proportion(rows.filter(isRobust).length, rows.length, spec.confidence);
    // Attacks bound robustness from above: what they broke is broken, so a failure stands whatever the controls say.
    const findings: readonly Finding[] = [
      judgeMinimum('Robust accuracy', robust, spec.minimum),
      ...(obstacle === undefined
        ? judgeControls({ rows, confidence: spec.confidence, suite }, true)
        : [
            {
              status: 'inconclusive' as const,
              reason: `The model cannot be attacked by gradient: ${obstacle}`,
            },
          ]),
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
      figures: figuresOf(spec, rows),
    };
  },
};

function figuresOf(spec: EvasionGateSpec, rows: readonly EvasionRow[]): Record<string, number> {
  const suite = suiteOf(spec).map(({ attack }) => attack);
  const share = (holds: (row: EvasionRow) => boolean): number =>
    rows.length === 0 ? 0 : rows.filter(holds).length / rows.length;
  const cosines = rows.flatMap(({ gradient }) => gradient?.cosine ?? []).sort((one, other) => one - other);
  const median = cosines[Math.floor(cosines.length / 2)];
  return {
    epsilon: spec.epsilon,
    'clean accuracy': share(({ correct }) => correct),
    ...Object.fromEntries(
      suite.map((name, i) => {
        // FGSM and PGD see all that is right as it is; theirs is what *they* left. The others see survivors only: theirs
        // is what is left after them and all before them.
        const alone = sparedBy(name).length === 0;
        const sofar = alone ? [name] : suite.slice(0, i + 1);
        return [
          `robust accuracy ${alone ? 'against' : 'after'} ${name}`,
          share(({ correct, attacks }) => correct && !isBrokenBy(sofar, attacks)),
        ];
      }),
    ),
    ...(median === undefined ? {} : { 'median gradient cosine': median }),
  };
}
