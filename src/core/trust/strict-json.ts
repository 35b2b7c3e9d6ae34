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

/** Walks the tokens of a text that is known to be JSON. */
function refuseAmbiguousKeys(text: string): void {
  const open: (Set<string> | undefined)[] = [];
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"(?:\s*:)?|[{}[\]]/g)) {
    if (token === '}' || token === ']') open.pop();
    else if (token === '{' || token === '[') {
      open.push(token === '{' ? new Set() : undefined);
      if (open.length > largestDepth)
        throw new SyntaxError(`expected at most ${largestDepth} levels, got more`);
    } else if (token.endsWith(':')) {
      const key = JSON.parse(token.slice(0, token.lastIndexOf('"') + 1)) as string;
      const keys = open.at(-1);
      if (keys?.has(key)) throw new SyntaxError(`expected every key once, got ${JSON.stringify(key)} again`);
      if (key === '__proto__') throw new SyntaxError('expected no key __proto__, got one');
      keys?.add(key);
    }
  }
}
