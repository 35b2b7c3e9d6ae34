import type { NearestFigures } from '../../core/evaluation/index.js';
import type { Norm } from '../../core/spec/index.js';
import { mark } from '../context.js';
import { columns } from '../report/columns.js';
import type { AttackResult } from './result.js';

const marks = { pass: mark.good, fail: mark.bad, inconclusive: '?' } as const;

/** The result as lines for a terminal: attacks, controls, verdict. */
export function attackTable(result: AttackResult): readonly string[] {
  const { attacks, controls, robustAccuracy, cleanAccuracy, model, policy, data } = result;
  const { n } = robustAccuracy;
  return [
    mark.bold(
      `${model.file}: ${n} of ${data.available} samples, ${policy.patch ? `a patch of ${policy.patch.height} × ${policy.patch.width}, each value by up to` : `${policy.norm} radius`} ${policy.epsilon}`,
    ),
    ...(policy.respects ? [`  The adversary is believed to respect ${policy.respects.join(' and ')}.`] : []),
    ...result.notes.map((note) => mark.dim(`  ${note}`)),
    '',
    ...columns([
      ['', 'attacked', 'broken', 'robust accuracy', 'seconds'],
      ['no attack', `${n}`, `${n - Math.round(cleanAccuracy * n)}`, cleanAccuracy.toFixed(4), ''],
      ...attacks
        .filter(({ attacked }) => attacked > 0)
        .map(({ attack, attacked, broken, robust, seconds }) => [
          attack,
          `${attacked}`,
          `${broken}`,
          robust.estimate.toFixed(4),
          seconds.toFixed(1),
        ]),
    ]),
    ...attacks.flatMap(({ attack, attacked, nearest }) =>
      nearest ? [`  ${attack}: ${nearestText(nearest, attacked, policy.norm)}`] : [],
    ),
    ...(result.sticker
      ? [
          `  One sticker for all: breaks ${result.sticker.broken} of ${result.sticker.judged} held-out samples`,
        ]
      : []),
    ...(model.gradient === 'unavailable' ? [`  gradient: unavailable (${model.obstacle})`] : []),
    '',
    'Controls: had the attacks the power to break what they did not break?',
    ...controls.map(
      ({ name, status, seen }) => `  ${marks[status]} ${name}${seen === '' ? '' : mark.dim(` (${seen})`)}`,
    ),
    '',
    ...verdictLines(result),
  ];
}

const statements = {
  pass: 'pass',
  fail: 'FAIL',
  inconclusive: 'INCONCLUSIVE',
  measured: 'measured, and the controls hold',
} as const satisfies Record<AttackResult['status'], string>;

function verdictLines({
  status,
  reasons,
  robustAccuracy,
  minimum,
  attacks,
}: AttackResult): readonly string[] {
  const { estimate, interval, confidence, n } = robustAccuracy;
  const [low, high] = interval.map((bound) => bound.toFixed(4));
  const level = Number((100 * confidence).toFixed(4));
  const measured = `${estimate.toFixed(4)}, ${level} % interval [${low}, ${high}], n = ${n}`;
  return [
    mark.bold(
      attacks.length > 0 ? `Robust accuracy ${measured}` : `Nothing was attacked. Accuracy ${measured}`,
    ),
    `${minimum === null ? '' : `Minimum ${minimum}: `}${statements[status]}`,
    ...reasons.map((reason) => `  - ${reason}`),
  ];
}

/** How far the boundary is from the samples that an attack was given. */
export function nearestText({ median, found }: NearestFigures, attacked: number, norm: Norm): string {
  return median === null
    ? `met a misclassified input of ${found} of ${attacked} samples, too few for a median distance`
    : `median minimal distance ${Number(median.toPrecision(4))} (${norm}); met a misclassified input of ${found} of ${attacked} samples`;
}
