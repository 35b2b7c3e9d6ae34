import type { EndpointState, LifecycleProgress, Revision } from './contract.js';

const marks = {
  waiting: '⬜',
  running: '⏳',
  done: '✅',
  cached: '♻️',
  skipped: '➖',
  refused: '⛔',
} as const;

/** A run as Markdown, for the details pane of the Temporal UI. */
export function runDetails(model: string, { stages, verdicts }: LifecycleProgress): string {
  const lines = [`### Lifecycle of ${model}`, '', '| | stage | what happened |', '|---|---|---|'];
  for (const { name, status, detail } of stages)
    lines.push(`| ${marks[status]} | ${name} | ${cell(detail ?? '')} |`);
  if (verdicts.length > 0) {
    lines.push('', '| gate | verdict | estimate | interval | threshold | n |', '|---|---|---|---|---|---|');
    for (const { gate, status, estimate, interval, threshold, n } of verdicts) {
      const [low, high] = interval.map((bound) => bound.toFixed(3));
      lines.push(
        `| ${gate} | ${status} | ${estimate.toFixed(3)} | [${low}, ${high}] | ${threshold} | ${n} |`,
      );
    }
  }
  return lines.join('\n');
}

/** An endpoint as Markdown: what is live, why, since when and by whom, and what was live before. */
export function endpointDetails({ endpoint, live, history }: EndpointState): string {
  if (live === undefined) return `### Endpoint ${endpoint}\n\nNothing is live yet.`;
  const row = ({ record }: Revision) =>
    `| ${record.revision} | ${record.kind} | \`${record.model.slice(7, 19)}\` | ${cell(record.requestedBy)} | ${record.createdAt} | ${cell(record.reason)} |`;
  return [
    `### Endpoint ${endpoint}: revision ${live.record.revision} is live`,
    '',
    'To roll back, send the update `rollback` with `{"reason": "…", "requestedBy": "…"}`.',
    '',
    '| revision | kind | model | by | since | why |',
    '|---|---|---|---|---|---|',
    ...history.slice(0, 20).map(row),
  ].join('\n');
}

/** Text from people and programs, kept inside its table cell. */
function cell(text: string): string {
  return text
    .replaceAll(/[\r\n]+/g, ' ')
    .replaceAll('|', '\\|')
    .slice(0, 300);
}
