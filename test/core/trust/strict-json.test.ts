import fc from 'fast-check';
import { parseStrictJson } from '../../../src/core/trust/strict-json.js';

const parse = (text: string) => parseStrictJson(Buffer.from(text));

describe('strict JSON', () => {
  it('reads what JSON.parse reads when every key is there once', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), fc.constantFrom(undefined, 2), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        fc.pre(!text.includes('__proto__'));
        expect(parse(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  it.each([
    ['a key twice', '{"a":1,"b":2,"a":3}'],
    ['a key twice, once in disguise', '{"a":1,"\\u0061":3}'],
    ['a key twice, deep inside', '[{"x":{"a":[{}],"a":1}}]'],
    ['a key twice around an object', '{"a":{"b":1},"a":{}}'],
    ['a prototype', '{"__proto__":{}}'],
    ['a byte order mark', '\ufeff{}'],
    ['more levels than a statement has', `${'['.repeat(65)}${']'.repeat(65)}`],
    ['a bomb of levels', '['.repeat(1_000_000)],
    ['a trailing comma', '{"a":1,}'],
    ['two values', '{} {}'],
  ])('refuses %s', (_, text) => {
    expect(() => parse(text)).toThrow(SyntaxError);
  });

  it('refuses bytes that are not UTF-8', () => {
    expect(() => parseStrictJson(Buffer.from([0x22, 0xff, 0x22]))).toThrow(SyntaxError);
  });

  it('takes braces, colons and quotes inside strings for text', () => {
    const value = { a: '{"a":1,"a":2}', b: ['"a":', '\\"', '\\'], c: { a: '}' } };
    expect(parse(JSON.stringify(value))).toEqual(value);
  });

  it('reads a string of a hundred megabytes', () => {
    const bytes = Buffer.from(`{"payload":"${'A'.repeat(100_000_000)}"}`);
    expect(Object.keys(parseStrictJson(bytes) as object)).toEqual(['payload']);
  });
});
