import { betaQuantile } from '../../statistics/index.js';
import { wordsOf } from '../../text/index.js';
import type { Detector } from '../detector.js';
import { robustTail } from '../robust-tail.js';

/** Of the bound on how sure a token makes a label: tokens are many, and rare ones are pure by chance. */
const CONFIDENCE = 0.999;

/**
 * Texts with a word that decides the label as hardly any does: almost all that hold it carry one label, though it is not
 * rare. Triggers must be like that to be learned.
 *
 * How sure a word makes a label is a lower confidence bound on the share of that label, as log-odds over those of the label
 * by itself; a sample is as suspicious as its most suspicious word.
 *
 * Source: in the spirit of Chen, Dai, "Mitigating backdoor attacks in LSTM-based text classification systems by backdoor
 * keyword identification", Neurocomputing 452 (2021), without asking a model.
 */
export const association: Detector = {
  name: 'association',
  looksFor: 'words that decide the label too often',
  lacks: ({ text }) =>
    text ? undefined : 'expected texts: honest inputs of other kinds decide labels alone',
  async detect(data, { falseAlarmRate }) {
    const { labels, classes } = data;
    const samples = data.text!.texts.map((text) => new Set(wordsOf(text)));
    const counts = new Map<string, Uint32Array>();
    samples.forEach((tokens, index) => {
      for (const token of tokens) {
        const row = counts.get(token) ?? new Uint32Array(classes.length);
        row[labels[index]!]! += 1;
        counts.set(token, row);
      }
    });
    const share = new Float64Array(classes.length);
    for (const label of labels) share[label]! += 1 / labels.length;
    const sureness = new Map<string, readonly [score: number, label: number]>();
    for (const [token, row] of counts) sureness.set(token, mostSure(row, share));

    const decisive = samples.map((tokens, index) => {
      let best: readonly [token: string, score: number] = ['', Number.NEGATIVE_INFINITY];
      for (const token of tokens) {
        const [score, label] = sureness.get(token)!;
        if (label === labels[index] && score > best[1]) best = [token, score];
      }
      return best;
    });
    const lowest = decisive.reduce(
      (low, [, score]) => (Number.isFinite(score) ? Math.min(low, score) : low),
      0,
    );
    const scores = Float64Array.from(decisive, ([, score]) => Math.max(lowest, score));
    const threshold = robustTail(scores, falseAlarmRate);
    return {
      scores,
      threshold,
      reason(index) {
        const [token] = decisive[index]!;
        const row = counts.get(token) ?? new Uint32Array(classes.length);
        const held = row.reduce((sum, count) => sum + count, 0);
        return `expected no word to decide the label alone, got ${JSON.stringify(token)}: ${row[labels[index]!]} of ${held} texts that hold it are ${classes[labels[index]!]}`;
      },
      figures: {},
    };
  },
};

/** The label that a token makes surest, and how sure. */
function mostSure(row: Uint32Array, share: Float64Array): readonly [score: number, label: number] {
  const held = row.reduce((sum, count) => sum + count, 0);
  let best: readonly [number, number] = [Number.NEGATIVE_INFINITY, 0];
  for (const [label, count] of row.entries()) {
    if (2 * count <= held) continue;
    const bound = betaQuantile(1 - CONFIDENCE, count, held - count + 1);
    const score = logOdds(bound) - logOdds(share[label]!);
    if (score > best[0]) best = [score, label];
  }
  return best;
}

function logOdds(probability: number): number {
  const inside = Math.min(1 - 1e-9, Math.max(1e-9, probability));
  return Math.log(inside / (1 - inside));
}
