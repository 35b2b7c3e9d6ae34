/** Letters, digits and the marks and apostrophes inside them; anything else but white space stands for itself. */
const WORD = /[\p{L}\p{N}\p{M}'’]+|[^\p{L}\p{N}\p{M}'’\s]/gu;

/**
 * The words of a text, in order, with case and compatible spellings made one (NFKC, then lower case in no locale). Signs
 * are words of their own: an exclamation mark says something.
 *
 * Unicode keeps the forms of characters that it has assigned, so runtimes differ at most in characters that the older one
 * does not know. Lone surrogates count as U+FFFD.
 */
export function wordsOf(text: string): readonly string[] {
  const wellFormed = Buffer.from(text, 'utf8').toString('utf8');
  return wellFormed.normalize('NFKC').toLowerCase().match(WORD) ?? [];
}
