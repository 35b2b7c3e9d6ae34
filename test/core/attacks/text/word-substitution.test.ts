import { readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import {
  insideTextModel,
  predictedClass,
  replacementsOf,
  substituteWords,
  type TextAdversary,
  type TextClassifier,
} from '../../../../src/core/attacks/index.js';
import { joinParts, partsOf } from '../../../../src/core/attacks/text/word-edits.js';
import {
  attribute,
  encodeModel,
  floatTensor,
  graphBuilder,
  type OnnxSession,
  openSession,
} from '../../../../src/core/onnx/index.js';

const FEATURES = 1024;

/** Words and their inner trigrams, hashed (FNV-1a) to a vector of ones. */
function hashed(text: string): Float32Array {
  const features = new Float32Array(FEATURES);
  for (const word of partsOf(text.toLowerCase()).words) {
    const padded = `<${word}>`;
    for (const piece of [
      padded,
      ...Array.from({ length: padded.length - 2 }, (_, i) => padded.slice(i, i + 3)),
    ]) {
      let hash = 0x811c9dc5;
      for (const byte of Buffer.from(piece)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
      features[hash % FEATURES] = 1;
    }
  }
  return features;
}

const reviews = readFileSync(path.join(__dirname, 'fixtures/product-reviews.jsonl'), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as { readonly text: string; readonly positive: boolean });
const isTest = (_: unknown, i: number): boolean => i % 4 === 0;

/** Logistic regression on hashed n-grams, as an ONNX file in ONNX Runtime. */
async function trainSentiment(): Promise<OnnxSession> {
  const rows = reviews.filter((row, i) => !isTest(row, i)).map((row) => ({ ...row, x: hashed(row.text) }));
  const weights = new Float64Array(FEATURES);
  let bias = 0;
  for (let epoch = 0; epoch < 30; epoch++) {
    for (const { x, positive } of rows) {
      const z = x.reduce((sum, value, i) => sum + value * weights[i]!, bias);
      const error = 1 / (1 + Math.exp(-z)) - (positive ? 1 : 0);
      x.forEach((value, i) => {
        if (value !== 0) weights[i]! -= 0.05 * error;
      });
      bias -= 0.05 * error;
    }
  }
  const b = graphBuilder(17);
  const x = b.input('x', 'float', ['N', FEATURES]);
  const both = [...weights.map((weight) => -weight / 2), ...weights.map((weight) => weight / 2)];
  b.output(
    'logits',
    'float',
    ['N', 2],
    b.op(
      'Gemm',
      [
        x,
        b.constant(floatTensor([2, FEATURES], both), 'w'),
        b.constant(floatTensor([2], [-bias / 2, bias / 2]), 'b'),
      ],
      {
        transB: attribute.int(1),
      },
    )[0],
  );
  return openSession(encodeModel(b.toModel()), { place: 'inline' });
}

describe('an attack on texts by words', () => {
  let session: OnnxSession;
  let classifier: TextClassifier;
  beforeAll(async () => {
    session = await trainSentiment();
    classifier = {
      classes: 2,
      async logits(texts) {
        const x = new Float32Array(texts.length * FEATURES);
        texts.forEach((text, i) => {
          x.set(hashed(text), i * FEATURES);
        });
        return (await session.run({ x: floatTensor([texts.length, FEATURES], x) })).logits!
          .data as Float32Array;
      },
    };
  });
  afterAll(() => session.close());

  const samples = (count: number) => {
    const rows = reviews.filter(isTest).slice(0, count);
    return {
      texts: rows.map(({ text }) => text),
      labels: Uint32Array.from(rows, ({ positive }) => (positive ? 1 : 0)),
    };
  };
  const adversary = (words: number, more: Partial<TextAdversary> = {}): TextAdversary => ({
    words,
    characters: true,
    synonyms: new Map([
      ['great', ['fine', 'grand']],
      ['good', ['decent']],
      ['bad', ['poor']],
    ]),
    ...more,
  });
  const robust = async (count: number, who: TextAdversary): Promise<number> => {
    const { success } = await substituteWords(classifier, samples(count), who, { batchSize: 256 });
    return 1 - success.reduce((sum, broken) => sum + broken, 0) / success.length;
  };

  it('breaks more with every word it may change, starting from what the model gets wrong', async () => {
    const accuracies = [];
    for (const words of [0, 1, 2]) accuracies.push(await robust(48, adversary(words)));
    expect(accuracies[0]).toBeGreaterThan(0.7);
    expect(accuracies[1]).toBeLessThan(accuracies[0]!);
    expect(accuracies[2]).toBeLessThan(accuracies[1]!);
  });

  it('breaks with one word exactly what trying every text breaks', async () => {
    const { texts, labels } = samples(24);
    const who = adversary(1);
    const { success, adversarial } = await substituteWords(classifier, { texts, labels }, who, {
      batchSize: 7,
    });
    for (const [index, text] of texts.entries()) {
      const { words, between } = partsOf(text);
      const all = words.flatMap((word, place) =>
        replacementsOf(word, who).map((other) => joinParts({ words: words.with(place, other), between })),
      );
      const logits = await classifier.logits([text, ...all]);
      const wrong = [text, ...all].some((_, row) => predictedClass(logits, 2, row) !== labels[index]);
      expect([index, success[index]]).toEqual([index, wrong ? 1 : 0]);
      expect(insideTextModel(text, adversarial[index]!, who)).toBe(true);
    }
  });

  it('gives the same texts however many are asked about at once', async () => {
    const [one, other] = await Promise.all(
      [3, 500].map((batchSize) => substituteWords(classifier, samples(12), adversary(2), { batchSize })),
    );
    expect(one).toEqual(other);
  });

  it('leaves texts alone where nothing is allowed', async () => {
    const nobody = adversary(3, { characters: false, synonyms: new Map() });
    const { adversarial } = await substituteWords(classifier, samples(10), nobody, { batchSize: 64 });
    expect(adversarial).toEqual(samples(10).texts);
  });
});

describe('what an adversary may write', () => {
  const who: TextAdversary = { words: 1, characters: true, synonyms: new Map([['poor', ['bad']]]) };

  it.each([
    ['Works great', 'Works gerat', true],
    ['Works great', 'Works greаt', true],
    ['It is Poor.', 'It is Bad.', true],
    ['Works great', 'Wroks gerat', false],
    ['Works great', 'Works greet', false],
    ['Works great', 'Works  great', false],
    ['Works great', 'Works great indeed', false],
    ['Works great', 'great Works', false],
  ])('of “%s”: “%s” %s', (original, adversarial, allowed) => {
    expect(insideTextModel(original, adversarial, who)).toBe(allowed);
  });

  it('is put together again from its parts, whatever the text', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => joinParts(partsOf(text)) === text));
  });

  it('never holds the word itself, nor a word twice, nor what reads as two words', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-zA-Z]{1,12}$/), (word) => {
        const found = replacementsOf(word, who);
        expect(found).not.toContain(word);
        expect(new Set(found).size).toBe(found.length);
        expect(found.every((other) => insideTextModel(`x ${word} y`, `x ${other} y`, who))).toBe(true);
      }),
    );
  });
});
