import { barChart } from '../report/chart.js';
import { html, type Markup } from '../report/markup.js';
import { pageOf } from '../report/page-of.js';
import type { TextsResult } from './texts-result.js';

/** Broken texts that a page shows. */
const MAXIMUM_TEXTS = 12;

/** The result of edits as one HTML file. */
export function textsPage(result: TextsResult, original: (id: string) => string): string {
  const { model, rows, status, minimum, reasons, cleanAccuracy, robustAccuracy } = result;
  const { estimate, interval, confidence, n } = robustAccuracy;
  const [low, high] = interval.map((bound) => bound.toFixed(4));
  const title = `Edits of texts against ${model.file}`;
  const bars = [
    { label: 'no attack', value: cleanAccuracy },
    { label: 'after edits', value: estimate, interval },
  ];
  const broken = rows.filter(({ attack }) => attack?.broken);
  return pageOf(
    title,
    html`<header><h1>${title}</h1><p class="soft">${adversaryText(result)}</p></header>
<section class="verdict ${status}" aria-label="Verdict">
<p class="figure">${estimate.toFixed(4)}</p>
<p>robust accuracy, ${Number((100 * confidence).toFixed(4))} % interval [${low!}, ${high!}], n = ${n}; ${cleanAccuracy.toFixed(4)} without an attack</p>
<p><span class="state ${status}">${status}</span>${minimum === null ? '' : `, minimum ${minimum}`}</p>
${reasons.length > 0 ? html`<ul>${reasons.map((reason) => html`<li>${reason}</li>`)}</ul>` : html``}
</section>
<h2>Robust accuracy</h2>
${barChart('Accuracy without an attack and after edits', bars, minimum)}
<h2>Broken texts</h2>
${broken.length === 0 ? html`<p>None was found.</p>` : brokenTexts(result, broken, original)}
<h2>What was tested, and how</h2>
${provenance(result)}
<h2>See it again</h2>
<pre>${result.command}</pre>`,
  );
}

function adversaryText({ adversary, data, rows }: TextsResult): string {
  const { words, characters, synonyms } = adversary;
  const edits = [
    ...(characters ? ['misspelt by a character'] : []),
    ...(Object.keys(synonyms).length > 0 ? ['replaced by a synonym of the list'] : []),
  ];
  return `Up to ${words} ${words === 1 ? 'word' : 'words'} of each text may be ${edits.join(' or ')}. ${rows.length} of ${data.available} texts were drawn.`;
}

function brokenTexts(
  { classes }: TextsResult,
  broken: TextsResult['rows'],
  original: (id: string) => string,
): Markup {
  const name = (index: number): string => (index < 0 ? 'nothing' : `${classes[index] ?? index}`);
  const figures = broken
    .slice(0, MAXIMUM_TEXTS)
    .map(
      ({ id, label, attack }) =>
        html`<figure><figcaption><strong>${id}</strong>: ${name(label)}, edited taken for <strong>${name(attack!.prediction)}</strong></figcaption><p class="soft">${original(id)}</p><p>${attack!.text}</p></figure>`,
    );
  return html`<p class="soft">${broken.length} texts were broken, each confirmed alone by the model file. The text as it is stands above, the edited one below.</p>
<div class="examples">${figures}</div>`;
}

function provenance({ model, data, adversary, notes }: TextsResult): Markup {
  const facts: readonly (readonly [string, string | Markup])[] = [
    ['model', html`${model.file}<br><code>${model.digest}</code>`],
    ['data', html`${data.file}<br><code>${data.digest}</code>`],
    ['samples', `seed ${data.seed}`],
    [
      'adversary',
      `words ${adversary.words}, characters ${adversary.characters ? 'yes' : 'no'}, synonyms of ${Object.keys(adversary.synonyms).length} words`,
    ],
  ];
  return html`<dl>${facts.map(([fact, value]) => html`<dt>${fact}</dt><dd>${value}</dd>`)}</dl>
<ul>${notes.map((note) => html`<li>${note}</li>`)}</ul>`;
}
