import { barChart } from '../report/chart.js';
import { html, type Markup } from '../report/markup.js';
import { pageOf } from '../report/page-of.js';
import type { CertifyResult } from './result.js';
import { measured } from './table.js';

/** The result as one HTML file. */
export function certifyPage(result: CertifyResult): string {
  const { model, policy, status, minimum, reasons, accuracy, abstentions, curve } = result;
  const title = `Certificates of ${model.file}`;
  const bars = [
    { label: 'accuracy', value: accuracy },
    ...curve.map(({ radius, certified }) => ({
      label: `radius ${radius}`,
      value: certified.estimate,
      interval: certified.interval,
    })),
  ];
  return pageOf(
    title,
    html`<header><h1>${title}</h1><p class="soft">Method ${policy.method}, norm ${policy.norm}. A certificate is a proof: no input within its radius gets another class.</p></header>
<section class="verdict ${status}" aria-label="Verdict">
<p class="figure">${result.certifiedAccuracy.estimate.toFixed(4)}</p>
<p>certified accuracy at radius ${policy.epsilon}: ${measured(result)}</p>
<p><span class="state ${status}">${status}</span>${minimum === null ? '' : `, minimum ${minimum}`}</p>
${reasons.length > 0 ? html`<ul>${reasons.map((reason) => html`<li>${reason}</li>`)}</ul>` : html``}
</section>
<h2>Certified accuracy by radius</h2>
${barChart('Certified accuracy by radius', bars, minimum)}
<p class="soft">Abstentions, ${abstentions.toFixed(4)} of all, count as wrong.</p>
<h2>What was certified, and how</h2>
${provenance(result)}
<h2>See it again</h2>
<pre>${result.command}</pre>`,
  );
}

function provenance({ model, data, policy, notes, environment, seconds }: CertifyResult): Markup {
  const facts: readonly (readonly [string, string | Markup])[] = [
    ['model', html`${model.file}<br><code>${model.digest}</code>`],
    ['data', html`${data.file}<br><code>${data.digest}</code>`],
    ['samples', `shape [${model.shape.join(', ')}], ${model.classes.length} classes, seed ${data.seed}`],
    ['policy', html`<code>${JSON.stringify(policy)}</code>`],
    [
      'computed by',
      `${environment.runtime} ${environment.runtimeVersion}, ${environment.cpu}, ${environment.platform} ${environment.architecture}, ${seconds.toFixed(1)} s`,
    ],
  ];
  return html`<dl>${facts.map(([name, fact]) => html`<dt>${name}</dt><dd>${fact}</dd>`)}</dl>
<ul>${notes.map((note) => html`<li>${note}</li>`)}</ul>`;
}
