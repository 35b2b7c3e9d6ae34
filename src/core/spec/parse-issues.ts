import type { z } from 'zod';
import { fieldsAt, type JsonSchema } from './json-schema.js';
import { type LocatedNode, type LocatedYaml, renderPath, type SpecProblem } from './parse-yaml.js';
import { holdsSecret } from './secrets.js';

type Issue = z.core.$ZodIssue;

/** What zod found, in words a person can act on, each at its place in the text. */
export function explainIssues(
  issues: readonly Issue[],
  yaml: LocatedYaml,
  schema: JsonSchema,
): readonly SpecProblem[] {
  const problems = issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? explainUnknownFields(issue, yaml, schema)
      : [explainIssue(issue, yaml)],
  );
  // A misspelt field is also missing under its right name: one mistake, one problem.
  const misspelt = new Set(
    problems.flatMap(({ path, didYouMean }) =>
      didYouMean === undefined ? [] : [path.replace(/[^.]*$/, didYouMean)],
    ),
  );
  return problems.filter(({ path, got }) => got !== nothing || !misspelt.has(path));
}

const nothing = 'nothing';
/** Longer candidates are no typing slips, and the distance costs their product. */
const longestTypo = 64;

function explainUnknownFields(
  { path: parent, keys }: z.core.$ZodIssueUnrecognizedKeys,
  yaml: LocatedYaml,
  schema: JsonSchema,
): readonly SpecProblem[] {
  const fields = fieldsAt(schema, parent, yaml.value) ?? [];
  const present = locate(yaml.root, parent).members;
  const absent = fields.filter((field) => !present.has(field));
  const expected = fields.length > 0 ? `one of the fields ${fields.join(', ')}` : 'no field of this name';
  return keys.map((key) => ({
    path: renderPath([...parent, key]),
    ...keyPosition([...parent, key], yaml),
    expected,
    got: holdsSecret(key) ? 'a hidden name' : quote(key),
    ...meant(key, absent),
  }));
}

function explainIssue(issue: Issue, yaml: LocatedYaml): SpecProblem {
  const value = valueAt(yaml.value, issue.path);
  const path = renderPath(issue.path);
  const [expected, gotByRule] = expectation(issue);
  const position = yaml.positionOf(locate(yaml.root, issue.path).offset);
  if (yaml.secretPaths.has(path)) return { path, ...position, expected, got: 'a hidden value' };
  const choices = choicesOf(issue);
  return {
    path,
    ...position,
    expected,
    got: gotByRule ?? describe(value),
    ...(typeof value === 'string' && meant(value, choices)),
  };
}

/** What was expected, and what was found where a rule of ours says it better than the value does. */
function expectation(issue: Issue): readonly [expected: string, got?: string] {
  switch (issue.code) {
    case 'invalid_type':
      return [withArticle(issue.expected)];
    case 'invalid_value':
      return [listed(issue.values.map(quote))];
    case 'invalid_union': {
      const choices = choicesOf(issue);
      if (choices.length > 0) return [listed(choices.map(quote))];
      const branches = 'errors' in issue ? issue.errors.flat() : [];
      return [listed([...new Set(branches.map((branch) => expectation(branch)[0]))])];
    }
    case 'too_small':
      return [bound(issue.origin, issue.inclusive === false ? 'more than' : 'at least', issue.minimum)];
    case 'too_big':
      return [bound(issue.origin, issue.inclusive === false ? 'less than' : 'at most', issue.maximum)];
    default: {
      const [expected = '', got] = issue.message.replace(/^expected /, '').split(', got ');
      return got === undefined ? [expected] : [expected, holdsSecret(got) ? 'a hidden value' : got];
    }
  }
}

function choicesOf(issue: Issue): readonly string[] {
  if (issue.code === 'invalid_value') return issue.values.map(String);
  const options = issue.code === 'invalid_union' && 'options' in issue ? issue.options : undefined;
  return options?.map(String) ?? [];
}

function bound(origin: string, relation: string, limit: number | bigint): string {
  const unit = origin === 'array' ? 'entry' : origin === 'string' ? 'character' : '';
  if (unit === '') return `${relation} ${limit}`;
  const plural = unit === 'entry' ? 'entries' : `${unit}s`;
  return `${relation} ${limit} ${Number(limit) === 1 ? unit : plural}`;
}

const typeNames: Readonly<Record<string, string>> = {
  int: 'an integer',
  string: 'a text',
  array: 'a list',
  object: 'a map of fields',
  record: 'a map',
  boolean: 'true or false',
  number: 'a number',
  null: 'null',
};

function withArticle(type: string): string {
  return typeNames[type] ?? type;
}

function listed(choices: readonly string[]): string {
  return choices.length > 1 ? `${choices.slice(0, -1).join(', ')} or ${choices.at(-1)}` : (choices[0] ?? '');
}

function describe(value: unknown): string {
  if (value === undefined) return nothing;
  if (value === null) return 'an empty value';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object') return 'a map';
  if (typeof value !== 'string') return String(value);
  return holdsSecret(value) ? 'a hidden value' : quote(value);
}

function quote(value: unknown): string {
  const text = String(value);
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : value);
}

function meant(name: string, candidates: readonly string[]): { didYouMean?: string } {
  if (name.length > longestTypo) return {};
  const scored = candidates
    .map((candidate) => ({ candidate, distance: editDistance(name.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  const [best] = scored;
  return best !== undefined && best.distance <= Math.max(1, Math.floor(best.candidate.length / 3))
    ? { didYouMean: best.candidate }
    : {};
}

/** Insertions, deletions, substitutions and swaps of neighbours (optimal string alignment distance). */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = last[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swap =
        i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? beforeLast[j - 2]! + 1 : Infinity;
      row.push(Math.min(last[j]! + 1, row[j - 1]! + 1, substitution, swap));
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length]!;
}

/** The node at a path, or the innermost one that exists on the way to it. */
function locate(root: LocatedNode, path: readonly PropertyKey[]): LocatedNode {
  let node = root;
  for (const key of path) {
    const next = node.members.get(key);
    if (next === undefined) break;
    node = next;
  }
  return node;
}

function keyPosition(path: readonly PropertyKey[], yaml: LocatedYaml): { line: number; column: number } {
  const node = locate(yaml.root, path);
  return yaml.positionOf(node.keyOffset ?? node.offset);
}

function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  let value = root;
  for (const key of path) {
    if (value === null || typeof value !== 'object' || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return value;
}
