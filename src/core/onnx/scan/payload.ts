import { foreignKind } from './foreign-kind.js';

/** Something in a text that is there to be run. */
export interface Payload {
  /** For people: `a Python pickle, in base64`. */
  readonly what: string;
  readonly level: 'error' | 'warning';
}

/** Idioms that run something, tight enough for the stack traces that exporters leave in models. */
const idioms: readonly {
  readonly what: string;
  readonly level: Payload['level'];
  readonly pattern: RegExp;
}[] = [
  { what: 'a script element', level: 'error', pattern: /<script[\s>]/i },
  { what: 'a script address', level: 'error', pattern: /\b(?:javascript|vbscript):\s*\S/i },
  { what: 'a JNDI look-up', level: 'error', pattern: /\$\{\s*jndi:/i },
  { what: 'a template expression', level: 'error', pattern: /\{\{.{0,200}__(?:class|globals|mro|import)__/ },
  {
    what: 'a Python call that runs a program',
    level: 'error',
    pattern:
      /\b(?:os\.(?:system|popen|exec[lv]p?e?|spawn[lv]p?e?)|subprocess\.\w+|pty\.spawn|commands\.getoutput)\s*\(/,
  },
  {
    what: 'a Python import at run time',
    level: 'error',
    pattern: /__import__\s*\(|\bimportlib\.import_module\s*\(/,
  },
  { what: 'unpickling', level: 'error', pattern: /\b(?:c?pickle|dill|joblib|marshal)\.loads?\s*\(/i },
  {
    what: 'a pickled import',
    level: 'error',
    pattern: /c(?:__builtin__|builtins|os|posix|nt|subprocess|sys|runpy|importlib|pty|socket|shutil)\n\w+\n/,
  },
  { what: 'a PowerShell command', level: 'error', pattern: /\bpowershell(?:\.exe)?\s+-\w/i },
  { what: 'a shell command', level: 'error', pattern: /\b(?:curl|wget)\s[^\n|]{0,300}\|\s*(?:ba|z|da)?sh\b/ },
  { what: 'a reverse shell', level: 'error', pattern: /\/dev\/tcp\/|\bnc\s+-\w*e\b|\bbash\s+-i\b/ },
  { what: 'a shell command', level: 'error', pattern: /\brm\s+-rf?\s+[/~]/ },
  { what: 'code that runs text', level: 'warning', pattern: /(?<![.\w])(?:eval|exec)\s*\(\s*[^)\s]/ },
];

/** Binary files that are looked for anywhere in a text, one letter a byte. */
const embedded: readonly { readonly what: string; readonly marks: readonly string[] }[] = [
  { what: 'an ELF program', marks: ['\x7fELF'] },
  { what: 'a zip archive', marks: ['PK\x03\x04'] },
  { what: 'a Windows program', marks: ['MZ', 'This program cannot be run in DOS mode'] },
  { what: 'a Mach-O program', marks: ['\xcf\xfa\xed\xfe'] },
];

/** Encodings inside each other that are followed. */
const mostLayers = 3;
/** Bytes of an encoded run that are decoded: a payload shows itself at its beginning. */
const decodedBytes = 65_536;

/**
 * Looks for programs, archives, pickles and scripts in a text, also where they are written in base64 or hexadecimal.
 *
 * @param bytes - the text as it lies in the file
 */
export function payloadsIn(bytes: Uint8Array, layer = 0): readonly Payload[] {
  const found: Payload[] = [];
  const kind = foreignKind(bytes);
  if (kind?.executable) found.push({ what: kind.name, level: 'error' });
  // One letter a byte, so that patterns see bytes.
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  for (const { what, marks } of embedded) {
    if (marks.every((mark) => text.includes(mark))) found.push({ what, level: 'error' });
  }
  for (const { what, level, pattern } of idioms) if (pattern.test(text)) found.push({ what, level });
  if (layer < mostLayers) {
    for (const [encoding, decoded] of encodedRuns(text)) {
      for (const { what, level } of payloadsIn(decoded, layer + 1)) {
        found.push({ what: `${what}, in ${encoding}`, level });
      }
    }
  }
  const seen = new Set<string>();
  return found.filter(({ what }) => !seen.has(what) && seen.add(what));
}

/** Runs longer than the patterns say are taken in pieces: without an end, the regular expression runs out of stack on megabytes. */
function* encodedRuns(text: string): Generator<readonly [encoding: string, decoded: Uint8Array]> {
  for (const [run] of text.matchAll(/(?:\\x[0-9a-f]{2}){8,65536}/gi)) {
    yield ['hexadecimal', Buffer.from(run.slice(0, 4 * decodedBytes).replaceAll('\\x', ''), 'hex')];
  }
  for (const [run] of text.matchAll(/(?<![0-9a-zA-Z])(?:[0-9a-f]{2}){12,65536}/gi)) {
    yield ['hexadecimal', Buffer.from(run.slice(0, 2 * decodedBytes), 'hex')];
  }
  // Lines of MIME are one run. Too short a run says nothing.
  for (const [run] of text.matchAll(/[A-Za-z0-9+/_-]{16,131072}(?:\r?\n[A-Za-z0-9+/_-]{16,128}){0,1024}/g)) {
    yield ['base64', Buffer.from(run.slice(0, 2 * decodedBytes), 'base64')];
  }
}
