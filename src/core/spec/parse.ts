import type { z } from 'zod';
import { RefusedError } from '../errors/index.js';
import { lifecycleJsonSchema } from './json-schema.js';
import { type Lifecycle, lifecycleSchema } from './lifecycle.js';
import { explainIssues } from './parse-issues.js';
import { readYaml, type SpecProblem } from './parse-yaml.js';

/** A lifecycle, or everything that is wrong with its text, sorted by place. */
export type ParsedLifecycle =
  | { readonly ok: true; readonly lifecycle: Lifecycle }
  | { readonly ok: false; readonly problems: readonly SpecProblem[] };

/** More than a person reads at once, and little enough to travel in a Temporal failure. */
const maximumReported = 200;

/**
 * Reads the text of a `lifecycle.yaml`. All problems are found in one pass, with one exception: rules between fields
 * are checked once each field by itself is right.
 * @param source - YAML 1.2 in UTF-8, at most 1 MiB; bytes are checked to be UTF-8
 */
export function safeParseLifecycle(source: string | Uint8Array): ParsedLifecycle {
  const yaml = readYaml(source);
  if (yaml.value === undefined) return { ok: false, problems: sorted(yaml.problems) };
  const parsed: z.ZodSafeParseResult<Lifecycle> = lifecycleSchema.safeParse(yaml.value);
  const explained = parsed.success ? [] : explainIssues(parsed.error.issues, yaml, lifecycleJsonSchema());
  const problems = [...yaml.problems, ...explained];
  return parsed.success && problems.length === 0
    ? { ok: true, lifecycle: parsed.data }
    : { ok: false, problems: sorted(problems) };
}

/**
 * {@link safeParseLifecycle} for callers that cannot go on without a lifecycle.
 * @param fileName - as the user knows it; begins every line of the error
 * @throws RefusedError `spec-invalid`, one detail a problem
 */
export function parseLifecycle(source: string | Uint8Array, fileName: string): Lifecycle {
  const parsed = safeParseLifecycle(source);
  if (parsed.ok) return parsed.lifecycle;
  const details = parsed.problems
    .slice(0, maximumReported)
    .map((problem) => `${fileName}:${renderProblem(problem)}`);
  const unreported = parsed.problems.length - details.length;
  if (unreported > 0) details.push(`${fileName}: and ${unreported} more`);
  const count = parsed.problems.length === 1 ? '1 problem' : `${parsed.problems.length} problems`;
  throw new RefusedError('spec-invalid', `expected a lifecycle, got ${count} in ${fileName}`, details);
}

/** `12:5 data.features[0].minimum: expected a number, got "zero"` */
function renderProblem({ path, line, column, expected, got, didYouMean }: SpecProblem): string {
  const suggestion = didYouMean === undefined ? '' : `; did you mean ${didYouMean}?`;
  return `${line}:${column}${path === '' ? '' : ` ${path}`}: expected ${expected}, got ${got}${suggestion}`;
}

function sorted(problems: readonly SpecProblem[]): readonly SpecProblem[] {
  return [...problems].sort(
    (a, b) => a.line - b.line || a.column - b.column || (a.path < b.path ? -1 : a.path > b.path ? 1 : 0),
  );
}
