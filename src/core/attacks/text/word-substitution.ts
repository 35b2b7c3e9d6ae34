import { batchesOf } from '../batches.js';
import { margin } from '../losses.js';
import { predictedClass } from '../predict.js';
import { insideTextModel, joinParts, partsOf, replacementsOf, type TextAdversary } from './word-edits.js';

/** A classifier of texts: whatever turns them into a model's input, and the model. */
export interface TextClassifier {
  readonly classes: number;
  /** @returns texts.length · classes logits */
  logits(texts: readonly string[]): Promise<Float32Array>;
}

export interface TextSamples {
  readonly texts: readonly string[];
  /** True class index of each text. */
  readonly labels: Uint32Array;
}

export interface TextAttackOptions {
  /** Texts in one question: memory only, results do not depend on it. */
  readonly batchSize: number;
  readonly onProgress?: (fraction: number) => void;
  readonly signal?: AbortSignal;
}

export interface TextAttackResult {
  /** For each sample, the strongest text found: always one that the adversary may write. */
  readonly adversarial: readonly string[];
  /** For each sample, 1 where the classifier gets that text wrong. */
  readonly success: Uint8Array;
}

/**
 * Greedy word substitution: each step asks about *every* allowed replacement of every word that is still as it was, and
 * keeps the one that raises the margin most, until the text is misclassified or no word may be changed any more. It needs
 * logits alone and draws nothing at random. With one word to change it is exhaustive: no attack breaks more.
 *
 * Sources: Jin et al., "Is BERT really robust?" (TextFooler), AAAI 2020; Li et al., "TextBugger", NDSS 2019. They rank
 * words by importance first to save questions, at the price of missing some.
 */
export async function substituteWords(
  classifier: TextClassifier,
  { texts, labels }: TextSamples,
  adversary: TextAdversary,
  options: TextAttackOptions,
): Promise<TextAttackResult> {
  const adversarial: string[] = [];
  const success = new Uint8Array(texts.length);
  for (const [index, text] of texts.entries()) {
    const found = await attackOne(classifier, text, labels[index]!, adversary, options);
    const allowed = insideTextModel(text, found.text, adversary);
    adversarial.push(allowed ? found.text : text);
    success[index] = allowed && found.margin >= 0 ? 1 : 0;
    options.onProgress?.((index + 1) / texts.length);
  }
  return { adversarial, success };
}

interface Candidate {
  readonly text: string;
  /** At least 0 where the text is misclassified. */
  readonly margin: number;
}

async function attackOne(
  classifier: TextClassifier,
  text: string,
  label: number,
  adversary: TextAdversary,
  options: TextAttackOptions,
): Promise<Candidate> {
  const { words, between } = partsOf(text);
  const open = new Set(words.keys());
  let current = words;
  let [best] = await judge(classifier, [text], label, options);
  for (let changed = 0; changed < adversary.words && best!.margin < 0; changed++) {
    const edits = [...open].flatMap((place) =>
      replacementsOf(words[place]!, adversary).map((word) => ({ place, word })),
    );
    const candidates = edits.map(({ place, word }) =>
      joinParts({ words: current.with(place, word), between }),
    );
    const judged = await judge(classifier, candidates, label, options);
    const strongest = judged.reduce(
      (most, { margin: raised }, i) => (most < 0 || raised > judged[most]!.margin ? i : most),
      -1,
    );
    if (strongest < 0 || !(judged[strongest]!.margin > best!.margin)) break;
    best = judged[strongest]!;
    const { place, word } = edits[strongest]!;
    current = current.with(place, word);
    open.delete(place);
  }
  return best!;
}

async function judge(
  classifier: TextClassifier,
  texts: readonly string[],
  label: number,
  { batchSize, signal }: TextAttackOptions,
): Promise<readonly Candidate[]> {
  const judged: Candidate[] = [];
  for (const batch of batchesOf([...texts.keys()], batchSize)) {
    signal?.throwIfAborted();
    const asked = batch.map((i) => texts[i]!);
    const logits = await classifier.logits(asked);
    asked.forEach((text, row) => {
      const own = logits.subarray(row * classifier.classes, (row + 1) * classifier.classes);
      const wrong = predictedClass(own, classifier.classes) !== label;
      // A tie that is answered by the other class is an error too; what is right lies below 0 however close it is.
      const raised = margin(own, label);
      judged.push({
        text,
        margin: wrong ? Math.max(0, Number.isNaN(raised) ? 0 : raised) : Math.min(raised, -Number.MIN_VALUE),
      });
    });
  }
  return judged;
}
