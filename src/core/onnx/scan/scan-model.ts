import { RefusedError } from '../../errors/index.js';
import type { Finding, FindingLevel, ScanReport } from './finding.js';
import { scanLimits } from './limits.js';
import { type Fault, outlineModel } from './outline.js';
import { rules } from './registry.js';
import type { ScanOptions, Subject } from './rule.js';
import { textsOf, viewModel } from './view.js';

/** With one of these, nobody knows what the file means as a model. */
const unreadable: ReadonlySet<Fault['kind']> = new Set([
  'malformed',
  'unknown-field',
  'too-deep',
  'too-many',
]);

/**
 * Looks for everything that a model file must not hold, without loading it. Fails closed: what cannot be read is an
 * error. All findings are reported. Time goes by the length of the file; memory by the number of messages in it, which
 * is limited.
 *
 * @param bytes - the whole file
 */
export function scanModel(bytes: Uint8Array, options: ScanOptions = {}): ScanReport {
  const limits = { ...scanLimits, ...options.limits };
  const { outline, faults } = outlineModel(
    // What is too long is refused for that; it is not walked through as well.
    bytes.length > limits.fileBytes ? bytes.subarray(0, 0) : bytes,
    limits,
  );
  const whole = !faults.some(({ kind }) => unreadable.has(kind));
  const subject: Subject = {
    bytes,
    outline,
    faults,
    limits,
    options,
    ...(whole && { model: viewModel(bytes, outline, [...textsOf(outline)]) }),
  };
  const findings: Finding[] = [];
  const counts: Record<FindingLevel, number> = { error: 0, warning: 0, note: 0 };
  for (const { id, name, level, advice, check } of rules) {
    for (const problem of check(subject)) {
      const { where, offset, message } = problem;
      const own = problem.level ?? level;
      counts[own] += 1;
      // Errors are never crowded out by what weighs less.
      if (findings.length >= limits.findings) {
        if (own !== 'error') continue;
        const lighter = findings.findLastIndex((finding) => finding.level !== 'error');
        if (lighter < 0) continue;
        findings.splice(lighter, 1);
      }
      findings.push({
        rule: id,
        name,
        level: own,
        where,
        ...(offset !== undefined && { offset }),
        message,
        advice,
      });
    }
  }
  return { findings, counts };
}

/**
 * The door that every model passes before it is trained on, evaluated, signed or served.
 *
 * @throws RefusedError `model-unsafe`, with every error as a detail
 */
export function requireSafeModel(bytes: Uint8Array, options?: ScanOptions): ScanReport {
  const report = scanModel(bytes, options);
  if (report.counts.error === 0) return report;
  const errors = report.findings.filter(({ level }) => level === 'error');
  const details = errors.map(({ rule, name, where, message }) =>
    shortened(`${rule} ${name}: ${where === '' ? '' : `${where}: `}${message}`),
  );
  throw new RefusedError(
    'model-unsafe',
    `model: expected a file without errors, got ${report.counts.error}: ${details[0]}`,
    details,
  );
}

/** Details end up in logs and histories. */
function shortened(text: string): string {
  return text.length > 300 ? `${text.slice(0, 299)}…` : text;
}
