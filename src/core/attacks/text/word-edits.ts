/** What an adversary may do to a word. */
export interface TextAdversary {
  /** Most words that may be changed, each once. */
  readonly words: number;
  /** Whether a word may be misspelt by one character: swapped, dropped, doubled, mistyped, or one that looks alike. */
  readonly characters: boolean;
  /** Words in lower case, and what may stand in their place. */
  readonly synonyms: ReadonlyMap<string, readonly string[]>;
}

/** A text taken apart: `between[i]` stands before word i, and what is left at the end after the last one. */
export interface TextParts {
  readonly words: readonly string[];
  readonly between: readonly string[];
}

const WORD = /[\p{L}\p{N}]+(?:['’][\p{L}\p{N}]+)*/gu;

export function partsOf(text: string): TextParts {
  const words: string[] = [];
  const between: string[] = [];
  let at = 0;
  for (const { 0: word, index } of text.matchAll(WORD)) {
    words.push(word);
    between.push(text.slice(at, index));
    at = index + word.length;
  }
  return { words, between: [...between, text.slice(at)] };
}

export function joinParts({ words, between }: TextParts): string {
  return words.map((word, i) => between[i]! + word).join('') + between.at(-1)!;
}

/** Neighbours on a QWERTY keyboard. */
const keyRows = ['qwertyuiop', 'asdfghjkl', 'zxcvbnm'] as const;
/** Letters of other scripts that look alike: Cyrillic, one for one. */
const lookalikes: Readonly<Record<string, string>> = {
  a: 'а',
  c: 'с',
  e: 'е',
  i: 'і',
  j: 'ј',
  o: 'о',
  p: 'р',
  s: 'ѕ',
  x: 'х',
  y: 'у',
};

/**
 * Every word that the adversary may put in place of one: each once, in a fixed order, and never the word itself. The first
 * and the last letter of longer words stay, as people read on over what is amiss inside.
 *
 * Sources: Li et al., "TextBugger", NDSS 2019 (insert, swap, delete, substitute by keyboard and look); Pruthi, Dhingra,
 * Lipton, "Combating adversarial misspellings with robust word recognition", ACL 2019 (inner letters).
 */
export function replacementsOf(word: string, { characters, synonyms }: TextAdversary): readonly string[] {
  const found = new Set<string>();
  for (const synonym of synonyms.get(word.toLowerCase()) ?? []) found.add(likeCase(synonym, word));
  const letters = [...word];
  if (characters) {
    const [from, to] = letters.length > 3 ? [1, letters.length - 1] : [0, letters.length];
    for (let i = from; i < to; i++) {
      const letter = letters[i]!;
      const others = [keyBeside(letter, -1), keyBeside(letter, 1), lookalikes[letter.toLowerCase()]];
      if (i + 1 < to) found.add(spliced(letters, i, 2, [letters[i + 1]!, letter]));
      if (letters.length > 1) found.add(spliced(letters, i, 1, []));
      found.add(spliced(letters, i, 1, [letter, letter]));
      for (const other of others) if (other !== undefined) found.add(spliced(letters, i, 1, [other]));
    }
  }
  found.delete(word);
  // What does not read as one word again is another edit than it seems.
  return [...found].filter((replacement) => {
    const { words, between } = partsOf(replacement);
    return words.length === 1 && between.every((text) => text === '');
  });
}

function spliced(letters: readonly string[], at: number, removed: number, put: readonly string[]): string {
  return [...letters.slice(0, at), ...put, ...letters.slice(at + removed)].join('');
}

function keyBeside(letter: string, step: number): string | undefined {
  const row = keyRows.find((keys) => keys.includes(letter.toLowerCase()));
  const beside = row?.[row.indexOf(letter.toLowerCase()) + step];
  return beside && likeCase(beside, letter);
}

function likeCase(replacement: string, word: string): string {
  const first = word.charAt(0);
  return first !== first.toLowerCase()
    ? replacement.charAt(0).toUpperCase() + replacement.slice(1)
    : replacement;
}

/**
 * Whether the adversary could have made one text of another: the same words in the same places but for a few, each
 * replaced as {@link replacementsOf} allows, and all that stands between them as it was.
 */
export function insideTextModel(original: string, adversarial: string, adversary: TextAdversary): boolean {
  const [before, after] = [partsOf(original), partsOf(adversarial)];
  if (before.words.length !== after.words.length) return false;
  if (before.between.some((text, i) => text !== after.between[i])) return false;
  const changed = before.words.flatMap((word, i) => (word === after.words[i] ? [] : [i]));
  return (
    changed.length <= adversary.words &&
    changed.every((i) => replacementsOf(before.words[i]!, adversary).includes(after.words[i]!))
  );
}
