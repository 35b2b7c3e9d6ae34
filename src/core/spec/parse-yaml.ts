import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type ParsedNode,
  parseDocument,
  type YAMLError,
} from 'yaml';
import { findSecrets, holdsSecret, isSafeInSecretField, namesSecret, secretArguments } from './secrets.js';

/** One thing that is wrong with a file, and where. */
export interface SpecProblem {
  /** `data.features[0].minimum`; empty for the whole file. */
  readonly path: string;
  /** 1-based. */
  readonly line: number;
  /** 1-based, in UTF-16 units. */
  readonly column: number;
  readonly expected: string;
  /** What stands there instead; secrets are hidden. */
  readonly got: string;
  /** The field or value that was probably meant. */
  readonly didYouMean?: string;
}

/** A value's place in the text, and its members' places. */
export interface LocatedNode {
  readonly offset: number;
  /** Where the key starts that this value belongs to. */
  readonly keyOffset?: number;
  readonly members: ReadonlyMap<PropertyKey, LocatedNode>;
}

/** A YAML text as a value, with places for everything in it. */
export interface LocatedYaml {
  /** Undefined when the text is too broken to have a value. */
  readonly value: unknown;
  readonly root: LocatedNode;
  readonly problems: readonly SpecProblem[];
  /** Paths, as {@link renderPath} writes them, whose values must not be quoted. */
  readonly secretPaths: ReadonlySet<string>;
  positionOf(offset: number): { readonly line: number; readonly column: number };
}

/** A lifecycle is written by people: one larger than this is an accident or an attack. */
export const maximumSpecBytes = 1024 * 1024;

const secretExpected = 'a reference to the secret, such as env:NAME or file:path';

/**
 * Reads the plain part of YAML 1.2 that has one meaning for every reader: one document, the core schema, each key
 * once, no anchors, aliases, tags or directives.
 */
export function readYaml(source: string | Uint8Array): LocatedYaml {
  const decoded = decode(source);
  if ('problem' in decoded) return broken([decoded.problem]);
  const { text } = decoded;
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    schema: 'core',
    resolveKnownTags: false,
    stringKeys: true,
    // Checked below with a set: the library compares every pair of keys, which an attacker can make slow.
    uniqueKeys: false,
    logLevel: 'error',
  });
  const positionOf = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const syntax = [...document.errors, ...document.warnings].map((error) => ({
    ...positionOf(error.pos[0]),
    ...explainSyntax(error),
  }));
  const walk = walkDocument(document, positionOf);
  const inText = findSecrets(text).map(({ kind, offset }) => {
    const path = pathAt(walk.root, offset);
    return { path, ...positionOf(offset), expected: secretExpected, got: kind };
  });
  const secretPaths = new Set([...walk.secretPaths, ...inText.map(({ path }) => path)]);
  const problems = [...syntax, ...walk.problems, ...inText.filter(({ path }) => !walk.secretPaths.has(path))];
  const value = syntax.length > 0 || walk.hasAlias ? undefined : document.toJS();
  return { value, root: walk.root, problems, secretPaths, positionOf };
}

/** `['data', 'features', 0]` as `data.features[0]`. */
export function renderPath(path: readonly PropertyKey[]): string {
  return path
    .map((key, index) => {
      if (typeof key === 'number') return `[${key}]`;
      const name = quotable(String(key));
      return /^[A-Za-z_][\w-]*$/.test(name) ? `${index > 0 ? '.' : ''}${name}` : `[${JSON.stringify(name)}]`;
    })
    .join('');
}

/** A name as it may be shown: short, and never a secret, which people paste in the wrong place too. */
function quotable(name: string): string {
  if (holdsSecret(name)) return '(hidden)';
  return name.length > 80 ? `${name.slice(0, 80)}…` : name;
}

function decode(source: string | Uint8Array): { text: string } | { problem: SpecProblem } {
  const wholeFile = { path: '', line: 1, column: 1 };
  const size = typeof source === 'string' ? Buffer.byteLength(source) : source.byteLength;
  if (size > maximumSpecBytes) {
    return { problem: { ...wholeFile, expected: `at most ${maximumSpecBytes} bytes`, got: `${size} bytes` } };
  }
  if (typeof source === 'string') return { text: source.replace(/^\uFEFF/, '') };
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(source) };
  } catch {
    return { problem: { ...wholeFile, expected: 'text in UTF-8', got: 'bytes of another encoding' } };
  }
}

function broken(problems: readonly SpecProblem[]): LocatedYaml {
  return {
    value: undefined,
    root: { offset: 0, members: new Map() },
    problems,
    secretPaths: new Set(),
    positionOf: () => ({ line: 1, column: 1 }),
  };
}

/** Our own words: the library's messages quote the text, and the text may hold a secret. */
function explainSyntax(error: YAMLError): { path: string; expected: string; got: string } {
  const explain = (expected: string, got: string) => ({ path: '', expected, got });
  switch (error.code) {
    case 'MULTIPLE_DOCS':
      return explain('one document', 'another one after ---');
    case 'TAG_RESOLVE_FAILED':
      return explain('plain values', 'a tag');
    case 'BAD_ALIAS':
      return explain('values written out', 'an alias of nothing');
    case 'MULTIPLE_ANCHORS':
    case 'ALIAS_PROPS':
      return explain('values written out', 'an anchor or alias');
    case 'NON_STRING_KEY':
      return explain('a name before the colon', 'a list or map as key');
    case 'TAB_AS_INDENT':
      return explain('indentation with spaces', 'a tab');
    case 'BAD_INDENT':
      return explain('indentation that matches the lines around', 'another one');
    case 'MISSING_CHAR':
      return explain('a closing quote, bracket, comma or colon', 'none');
    case 'RESOURCE_EXHAUSTION':
      return explain('a shallow file', 'lists and maps nested too deeply');
    default:
      return explain('valid YAML', error.code.toLowerCase().replaceAll('_', ' '));
  }
}

interface Walk {
  readonly root: LocatedNode;
  readonly problems: readonly SpecProblem[];
  readonly secretPaths: ReadonlySet<string>;
  readonly hasAlias: boolean;
}

function walkDocument(document: Document.Parsed<ParsedNode>, positionOf: LocatedYaml['positionOf']): Walk {
  const problems: SpecProblem[] = [];
  const secretPaths = new Set<string>();
  let hasAlias = false;

  const report = (path: readonly PropertyKey[], offset: number, expected: string, got: string) =>
    problems.push({ path: renderPath(path), ...positionOf(offset), expected, got });
  const reportSecret = (path: readonly PropertyKey[], offset: number, got: string) => {
    secretPaths.add(renderPath(path));
    report(path, offset, secretExpected, got);
  };

  const walk = (
    node: Node | null,
    path: readonly PropertyKey[],
    fallback: number,
    keyOffset: number | undefined,
    inSecretField: boolean,
  ): LocatedNode => {
    const offset = node?.range?.[0] ?? fallback;
    const members = new Map<PropertyKey, LocatedNode>();
    const located = { offset, ...(keyOffset !== undefined && { keyOffset }), members };
    if (isAlias(node)) {
      hasAlias = true;
      report(path, offset, 'the value written out', 'an alias');
      return located;
    }
    if (node !== null && 'anchor' in node && node.anchor !== undefined) {
      report(path, offset, 'the value without an anchor', 'an anchor');
    }
    if (isMap(node)) {
      for (const { key, value } of node.items as { key: Node | null; value: Node | null }[]) {
        const name = isScalar(key) ? String(key.value) : '';
        const start = key?.range?.[0] ?? offset;
        if (members.has(name)) report([...path, name], start, 'each field once', 'it a second time');
        members.set(name, walk(value, [...path, name], start, start, inSecretField || namesSecret(name)));
      }
    } else if (isSeq(node)) {
      const secrets = new Set(
        secretArguments(node.items.map((item) => (isScalar(item) ? item.value : undefined))),
      );
      for (const [index, item] of (node.items as (Node | null)[]).entries()) {
        const itemPath = [...path, index];
        const member = walk(item, itemPath, offset, undefined, inSecretField);
        members.set(index, member);
        if (secrets.has(index) && !inSecretField) {
          reportSecret(itemPath, member.offset, 'a literal secret in a command line');
        }
      }
    } else if (isScalar(node) && inSecretField && !isSafeInSecretField(node.value)) {
      reportSecret(path, offset, 'a literal value in a field for a secret');
    }
    return located;
  };

  const root = walk(document.contents, [], 0, undefined, false);
  return { root, problems, secretPaths, hasAlias };
}

/** The path of the innermost value that starts at or before an offset; comments belong to the value before them. */
function pathAt(root: LocatedNode, offset: number): string {
  const path: PropertyKey[] = [];
  let node = root;
  for (;;) {
    let inner: readonly [PropertyKey, LocatedNode] | undefined;
    for (const entry of node.members) if (entry[1].offset <= offset) inner = entry;
    if (inner === undefined) return renderPath(path);
    path.push(inner[0]);
    node = inner[1];
  }
}
