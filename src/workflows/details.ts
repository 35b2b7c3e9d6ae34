import type { EndpointState, LifecycleProgress, Revision, StageProgress } from './contract.js';

/*
 * Lists, not tables: the Temporal UI renders Markdown tables without room between their columns. Words, not pictures:
 * not every machine has the fonts.
 */

const words: Record<StageProgress['status'], string> = {
  waiting: 'waits',
  running: '**runs**',
  done: 'done',
  cached: 'done before, with equal inputs',
  skipped: 'skipped',
  refused: '**refused**',
};

/** A run as Markdown, for the details pane of the Temporal UI. */
export function runDetails(model: string, { stages, verdicts }: LifecycleProgress): string {
  const lines = [`### Lifecycle of ${model}`, ''];
  for (const { name, status, detail } of stages) {
    lines.push(`- **${name}** ${words[status]}${detail === undefined ? '' : `: ${inline(detail)}`}`);
  }
  if (verdicts.length > 0) lines.push('', '### Gates', '');
  for (const { gate, status, metric, estimate, interval, confidence, threshold, bound, n } of verdicts) {
    const [low, high] = interval.map((bound) => bound.toFixed(3));
    lines.push(
      `- **${gate}** ${status}: ${metric} ${estimate.toFixed(3)}, ${100 * confidence} % interval [${low}, ${high}], ${bound ?? 'minimum'} ${threshold}, n = ${n}`,
    );
  }
  return lines.join('\n');
}

/** An endpoint as Markdown: what is live, why, since when and by whom, and what was live before. */
export function endpointDetails({ endpoint, live, frozen, history }: EndpointState): string {
  const ice = frozen
    ? [`**Frozen** since ${frozen.since}, by ${inline(frozen.by)}: ${inline(frozen.reason)}`, '']
    : [];
  if (live === undefined) return `### Endpoint ${endpoint}\n\nNothing is live yet.\n\n${ice.join('\n')}`;
  return [
    `### Endpoint ${endpoint}: revision ${live.record.revision} is live`,
    '',
    ...ice,
    'To roll back, send the update `rollback` with `{"reason": "…", "requestedBy": "…"}`, or with `{"signed": "…"}` as `assay sign-request` writes it.',
    '',
    ...history.slice(0, 20).map(revisionLine),
  ].join('\n');
}

function revisionLine({ record }: Revision): string {
  const { revision, kind, restores, model, requestedBy, createdAt, reason } = record;
  const what = kind === 'rollback' ? `rollback to revision ${restores}` : 'release';
  return `- **${revision}** ${what}, model \`${model.slice(7, 19)}\`, since ${createdAt}, by ${inline(requestedBy)}: ${inline(reason)}`;
}

/** Text from people and programs, kept on its line and out of the markup. */
function inline(text: string): string {
  return text
    .replaceAll(/[\r\n]+/g, ' ')
    .replaceAll(/[\\`*_[\]<>#|]/g, '\\$&')
    .slice(0, 300);
}
