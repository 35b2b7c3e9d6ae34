import type { SampleSet } from '../../core/data/index.js';
import type { FileEvaluation } from '../../core/evaluation/index.js';
import type { Norm } from '../../core/spec/index.js';
import { barChart } from '../report/chart.js';
import { html, type Markup } from '../report/markup.js';
import { pageOf } from '../report/page-of.js';
import { exampleFigures } from './example-figures.js';
import type { AttackResult } from './result.js';
import { nearestText } from './table.js';

/** The result as one HTML file. */
export function attackPage(result: AttackResult, evaluation: FileEvaluation, set: SampleSet): string {
  const title = `Attack on ${result.model.file}`;
  return pageOf(
    title,
    html`<header><h1>${title}</h1><p class="soft">${threatText(result)}</p></header>
${verdict(result)}
<h2>Robust accuracy, attack by attack</h2>
${attackSection(result)}
<h2>Controls</h2>
${controlSection(result)}
<h2>Adversarial examples</h2>
${exampleSection(evaluation, set)}
<h2>What was tested, and how</h2>
${provenance(result)}
<h2>See it again</h2>
<pre>${result.command}</pre>`,
  );
}

const movements = {
  linf: 'Every input value may move by at most',
  l2: 'An input may move by a Euclidean (L2) distance of at most',
  l1: 'The values of an input may move, together (L1), by at most',
} as const satisfies Record<Norm, string>;

function threatText({ policy, data, robustAccuracy }: AttackResult): string {
  const [low, high] = data.range;
  const movement = policy.patch
    ? `One rectangle of ${policy.patch.height} × ${policy.patch.width} pixels is covered, anywhere; under it, every value may move by at most`
    : movements[policy.norm];
  const believed = policy.respects
    ? ` The adversary is believed to respect ${policy.respects.join(' and ')}.`
    : '';
  return `${movement} ${policy.epsilon}, inside the valid range ${shown(low)} to ${shown(high)}. ${robustAccuracy.n} of ${data.available} samples were drawn.${believed}`;
}

const verdicts = {
  pass: 'pass',
  fail: 'fail',
  inconclusive: 'inconclusive',
  measured: 'measured; the controls hold',
} as const satisfies Record<AttackResult['status'], string>;

function verdict({ status, robustAccuracy, cleanAccuracy, minimum, reasons, attacks }: AttackResult): Markup {
  const { estimate, interval, confidence, n } = robustAccuracy;
  const [low, high] = interval.map((bound) => bound.toFixed(4));
  const level = Number((100 * confidence).toFixed(4));
  return html`<section class="verdict ${status}" aria-label="Verdict">
<p class="figure">${estimate.toFixed(4)}</p>
<p>${attacks.length > 0 ? 'robust accuracy' : 'accuracy; nothing was attacked'}, ${level} % interval [${low!}, ${high!}], n = ${n}; ${cleanAccuracy.toFixed(4)} without an attack</p>
<p><span class="state ${status}">${verdicts[status]}</span>${minimum === null ? '' : `, minimum ${minimum}`}</p>
${reasons.length > 0 ? html`<ul>${reasons.map((reason) => html`<li>${reason}</li>`)}</ul>` : html``}
</section>`;
}

function attackSection(result: AttackResult): Markup {
  const { sticker } = result;
  const attacks = result.attacks.filter(({ attacked }) => attacked > 0);
  const bars = [
    { label: 'no attack', value: result.cleanAccuracy },
    ...attacks.map(({ attack, robust }) => ({
      label: `after ${attack}`,
      value: robust.estimate,
      interval: [robust.interval[0], robust.interval[1]] as const,
    })),
  ];
  const marked = result.minimum === null ? '' : ` The dashed line is the minimum, ${result.minimum}.`;
  const rows = attacks.map(
    ({ attack, attacked, broken, robust, seconds }) =>
      html`<tr><td>${attack}</td><td class="number">${attacked}</td><td class="number">${broken}</td><td class="number">${robust.estimate.toFixed(4)}</td><td class="number">${seconds.toFixed(1)}</td></tr>`,
  );
  const nearest = attacks.flatMap((figures) =>
    figures.nearest
      ? [
          html`<p>${figures.attack}: ${nearestText(figures.nearest, figures.attacked, result.policy.norm)}.</p>`,
        ]
      : [],
  );
  const table = html`<div class="wide"><table><thead><tr><th scope="col">attack</th><th scope="col" class="number">attacked</th><th scope="col" class="number">broken</th><th scope="col" class="number">robust after it</th><th scope="col" class="number">seconds</th></tr></thead><tbody>${rows}</tbody></table></div>`;
  return html`${barChart('Robust accuracy after each attack; the table below has the same figures', bars, result.minimum)}
<p class="soft">What is left after each attack and all before it, with its interval.${marked}</p>
${nearest}
${sticker ? html`<p>One sticker for all breaks ${sticker.broken} of ${sticker.judged} held-out samples.</p>` : html``}
${rows.length > 0 ? table : html`<p>Nothing was attacked.</p>`}`;
}

const states = { pass: '✓ holds', fail: '✗ fails', inconclusive: '? unsure' } as const;

function controlSection({ controls }: AttackResult): Markup {
  const rows = controls.map(
    ({ name, status, seen }) =>
      html`<tr><td>${name}</td><td class="held ${status}">${states[status]}</td><td>${seen}</td></tr>`,
  );
  return html`<p class="soft">Had the attacks the power to break what they did not break?</p>
<div class="wide"><table><thead><tr><th scope="col">control</th><th scope="col">state</th><th scope="col">seen</th></tr></thead><tbody>${rows}</tbody></table></div>`;
}

function exampleSection(evaluation: FileEvaluation, set: SampleSet): Markup {
  const { length } = evaluation.examples;
  if (length === 0) return html`<p>None was found.</p>`;
  return html`<p class="soft">${length} samples were broken, each confirmed alone in the served model. The first attack that broke a sample is shown.</p>
${exampleFigures(evaluation, set)}`;
}

function provenance({ model, data, policy, notes, environment, seconds }: AttackResult): Markup {
  const facts: readonly (readonly [string, string | Markup])[] = [
    ['model', html`${model.file}<br><code>${model.digest}</code>`],
    ['data', html`${data.file}<br><code>${data.digest}</code>`],
    ['gradient', model.gradient],
    ['samples', `shape [${model.shape.join(', ')}], ${model.classes.length} classes, seed ${data.seed}`],
    ['policy', html`<code>${JSON.stringify(policy)}</code>`],
    [
      'computed by',
      `${environment.runtime} ${environment.runtimeVersion}, ${environment.cpu}, ${environment.platform} ${environment.architecture}, ${seconds.toFixed(1)} s`,
    ],
  ];
  const taken = notes.length > 0 ? html`<ul>${notes.map((note) => html`<li>${note}</li>`)}</ul>` : html``;
  return html`<dl>${facts.map(([name, fact]) => html`<dt>${name}</dt><dd>${fact}</dd>`)}</dl>${taken}`;
}

const shown = (value: number): string => `${Number(value.toPrecision(5))}`;
