/** Deeper JSON than any statement has is refused before a recursive reader meets it. */
const largestDepth = 64;

/**
 * Reads JSON that every reader must understand alike. `JSON.parse` takes the last of two equal keys and others take the
 * first, so that one signed text could say two things; and it turns bytes that are not UTF-8 into U+FFFD.
 *
 * @throws SyntaxError for what is not UTF-8, not JSON, nested too deeply, or has a key twice or called `__proto__`
 */
export function parseStrictJson(bytes: Uint8Array): unknown {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new SyntaxError('expected UTF-8, got other bytes');
  }
  const value: unknown = JSON.parse(text);
  refuseAmbiguousKeys(text);
  return value;
}

/**
 * Walks the keys and brackets of a text that is known to be JSON. Strings are stepped through by hand: a regular expression that
 * matches one of some megabytes keeps a place to return to for each of its characters, and runs out of stack.
 */
function refuseAmbiguousKeys(text: string): void {
  const open: (Set<string> | undefined)[] = [];
  for (let at = 0; at < text.length; at++) {
    const token = text[at];
    if (token === '}' || token === ']') open.pop();
    else if (token === '{' || token === '[') {
      open.push(token === '{' ? new Set() : undefined);
      if (open.length > largestDepth)
        throw new SyntaxError(`expected at most ${largestDepth} levels, got more`);
    } else if (token === '"') {
      const end = endOfString(text, at);
      if (isKey(text, end)) addKey(open.at(-1), JSON.parse(text.slice(at, end)) as string);
      at = end - 1;
    }
  }
}

/** Where the string that starts at `start` is over: one past its closing quote. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at + 1;
}

/** Whether a colon is what comes next. */
function isKey(text: string, at: number): boolean {
  const colon = /\s*:/y;
  colon.lastIndex = at;
  return colon.test(text);
}

function addKey(keys: Set<string> | undefined, key: string): void {
  if (keys?.has(key)) throw new SyntaxError(`expected every key once, got ${JSON.stringify(key)} again`);
  if (key === '__proto__') throw new SyntaxError('expected no key __proto__, got one');
  keys?.add(key);
}
