import { createHmac } from 'node:crypto';
import {
  insideTextModel,
  predictedClass,
  substituteWords,
  type TextAdversary,
  type TextClassifier,
} from '../../attacks/index.js';
import type { SampleSet } from '../../data/index.js';
import { RefusedError } from '../../errors/index.js';
import type { Digest, Verdict } from '../../spec/index.js';
import { hashedNgrams } from '../../text/index.js';
import { type Finding, judgeMinimum, type Proportion, proportion, worstStatus } from '../judgement.js';
import { chooseSamples } from '../run-key.js';
import { sampleBytes } from '../serve-cleanly.js';
import type { ModelFile } from './model-file.js';

/** Texts in one run of the model: memory only. */
const BATCH_SIZE = 64;

export interface EvaluateTextsOptions {
  readonly model: ModelFile;
  /** With its texts. */
  readonly set: SampleSet;
  readonly adversary: TextAdversary;
  /** How many samples are drawn. */
  readonly count: number;
  readonly minimum: number;
  readonly confidence: number;
  /** Names the draw of the samples, together with the data. */
  readonly seed: number;
  /** Digest of the bytes that the samples came from. */
  readonly data: Digest;
  /** Called with work done so far, 0…1. */
  readonly onProgress?: (fraction: number) => void;
  readonly signal?: AbortSignal;
}

/** What edits did to one text. */
export interface TextRow {
  readonly id: string;
  readonly label: number;
  /** Of the text as it is; −1 where the answer is not finite. */
  readonly predicted: number;
  readonly correct: boolean;
  /** Of a text that is right as it is: the strongest one that the adversary may write; null where nothing was tried. */
  readonly attack: {
    readonly text: string;
    readonly prediction: number;
    /** Whether the attack says that it broke the text, and whether the model file, asked alone, confirms it. */
    readonly claimed: boolean;
    readonly broken: boolean;
  } | null;
}

export interface TextEvaluation {
  readonly rows: readonly TextRow[];
  readonly status: Verdict['status'];
  readonly reasons: readonly string[];
  readonly robust: Proportion;
}

/**
 * Attacks a classifier of texts by edits of words, through the very features that a gateway makes of texts. With one word to
 * change every edit is tried, and the figure is exact for the samples; with more the search is greedy, and what it leaves
 * is not thereby robust: such a result does not pass.
 *
 * @throws RefusedError `data-refused` when the set has no texts, or labels are none of the model's classes; the signal's reason
 */
export async function evaluateTexts(options: EvaluateTextsOptions): Promise<TextEvaluation> {
  const { model, set, adversary, count, seed, data, onProgress, signal } = options;
  if (set.text === undefined) throw new RefusedError('data-refused', 'expected texts in the data, got none');
  const { texts, features } = set.text;
  const key = createHmac('sha256', 'assay/standalone/v1').update(`${data}\n${seed}`).digest('hex');
  const positions = chooseSamples(key, set.samples.ids, count);
  const { shape } = set;
  const vectors = (asked: readonly string[]): Float32Array => {
    const inputs = new Float32Array(asked.length * features.buckets);
    asked.forEach((text, i) => {
      inputs.set(hashedNgrams(text, features), i * features.buckets);
    });
    return inputs;
  };
  const serve = async (text: string): Promise<Float32Array> =>
    model.serve(sampleBytes(vectors([text]), features.buckets, 0), shape);
  const { length: classes } = await serve('');
  if (set.classes.length > classes) {
    throw new RefusedError(
      'data-refused',
      `expected at most the ${classes} classes of the model, got ${set.classes.length}`,
    );
  }
  const classifier: TextClassifier = {
    classes,
    logits: (asked) => model.answers(vectors(asked), asked.length, shape),
  };
  const rows: TextRow[] = [];
  for (const [done, position] of positions.entries()) {
    signal?.throwIfAborted();
    const text = texts[position]!;
    const label = set.samples.labels[position]!;
    const predicted = predictedClass(await serve(text), classes);
    const row = { id: set.samples.ids[position]!, label, predicted, correct: predicted === label };
    if (!row.correct) rows.push({ ...row, attack: null });
    else {
      const { adversarial, success } = await substituteWords(
        classifier,
        { texts: [text], labels: Uint32Array.of(label) },
        adversary,
        { batchSize: BATCH_SIZE, ...(signal && { signal }) },
      );
      const [edited] = adversarial as [string];
      const prediction = predictedClass(await serve(edited), classes);
      const sendable =
        [...edited].length <= features.maximumLength && insideTextModel(text, edited, adversary);
      const broken = prediction !== label && sendable;
      rows.push({ ...row, attack: { text: edited, prediction, claimed: success[0] === 1, broken } });
    }
    onProgress?.((done + 1) / positions.length);
  }
  return { rows, ...judge(rows, options) };
}

function judge(
  rows: readonly TextRow[],
  { adversary, minimum, confidence }: EvaluateTextsOptions,
): Omit<TextEvaluation, 'rows'> {
  const robust = proportion(
    rows.filter(({ correct, attack }) => correct && !attack?.broken).length,
    rows.length,
    confidence,
  );
  const unconfirmed = rows.filter(({ attack }) => attack?.claimed && !attack.broken).length;
  const findings: readonly Finding[] = [
    judgeMinimum('Robust accuracy', robust, minimum),
    ...(unconfirmed === 0
      ? []
      : [
          {
            status: 'inconclusive' as const,
            reason: `The model file does not confirm ${unconfirmed} texts that the attack claims.`,
          },
        ]),
    ...(adversary.words === 1
      ? []
      : [
          {
            status: 'inconclusive' as const,
            reason: `Of edits of up to ${adversary.words} words only those that a greedy search meets were tried: what it leaves may still break.`,
          },
        ]),
  ];
  return { status: worstStatus(findings), reasons: findings.map(({ reason }) => reason), robust };
}
