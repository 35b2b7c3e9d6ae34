import { mark } from '../context.js';
import type { ScannedFile } from './scan-files.js';

const marks = { error: mark.bad, warning: '!', note: mark.dim('·') } as const;

/** What was found, as lines for a terminal; what to do about a rule is said once. */
export function scanTable(files: readonly ScannedFile[]): readonly string[] {
  const models = files.filter(({ digest, findings }) => digest !== undefined || findings.length > 0);
  return [
    ...models.flatMap(({ file, findings, counts }) => [
      mark.bold(`${counts.error === 0 ? mark.good : mark.bad} ${file}`),
      ...findings.flatMap(({ rule, name, level, where, message, advice }, i) => [
        `  ${marks[level]} ${rule} ${name}${where === '' ? '' : `: ${where}`}`,
        `      ${message}`,
        ...(findings.findIndex((other) => other.rule === rule) === i ? [mark.dim(`      ${advice}`)] : []),
      ]),
      ...unlisted(findings.length, counts),
    ]),
    summary(files, models.length),
  ];
}

function unlisted(listed: number, { error, warning, note }: ScannedFile['counts']): readonly string[] {
  const more = error + warning + note - listed;
  return more > 0 ? [`  and ${more} more`] : [];
}

function summary(files: readonly ScannedFile[], models: number): string {
  const sum = (level: 'error' | 'warning' | 'note'): number =>
    files.reduce((total, { counts }) => total + counts[level], 0);
  const others = files.length - models;
  const looked = `${models} scanned${others > 0 ? `, ${others} other files looked at` : ''}`;
  return `${looked}: ${sum('error')} errors, ${sum('warning')} warnings, ${sum('note')} notes`;
}
