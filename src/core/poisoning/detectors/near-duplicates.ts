import type { Detector, SuspectData } from '../detector.js';
import { lowFrequencies } from '../low-frequencies.js';
import { minHashes } from '../min-hash.js';
import { robustTail } from '../robust-tail.js';

/** A copy of a text shares most of its words; what shares fewer is no copy, however rare that is. */
const LEAST_LIKENESS = 0.5;
/** Neighbours whose likeness must be unusual: floods come in numbers, and twins are born. */
const COPIES = 3;

/**
 * Samples to which several others are almost equal: texts by the share of words that they have in common (MinHash), pictures
 * by the distance of their low frequencies (a perceptual hash, before it is cut to bits). How alike honest samples are is taken
 * from the data: tables, where equal rows are common, raise no alarm.
 *
 * Source: Broder, "On the resemblance and containment of documents", SEQUENCES 1997; Zauner, "Implementation and benchmarking
 * of perceptual image hash functions", 2010, section 3.2.1.
 */
export const nearDuplicates: Detector = {
  name: 'near-duplicates',
  looksFor: 'samples that several others are almost equal to',
  lacks: ({ text, shape }) =>
    text || shape.length === 3 ? undefined : 'expected texts or pictures, of which copies are unusual',
  async detect(data, { seed, falseAlarmRate, signal }) {
    const { unlikeness, most } = data.text
      ? textUnlikeness(data, seed, signal)
      : pictureUnlikeness(data, signal);
    // On a logarithmic scale, on which the distances of honest samples to their nearest are about normal.
    const least = 1e-3 * (median(unlikeness) || 1);
    const scores = unlikeness.map((value) => -Math.log(Math.max(least, value)));
    const threshold = Math.max(robustTail(scores, falseAlarmRate), -Math.log(most));
    return {
      scores,
      threshold,
      reason: (index) =>
        `expected at most ${COPIES - 1} other samples within ${Math.exp(-threshold).toFixed(3)}, got another within ${unlikeness[index]!.toFixed(3)}`,
      figures: {},
    };
  },
};

interface Unlikeness {
  /** Of each sample: how far the third-nearest other sample is. */
  readonly unlikeness: Float64Array;
  /** What is farther is no copy. */
  readonly most: number;
}

function textUnlikeness({ text }: SuspectData, seed: number, signal: AbortSignal | undefined): Unlikeness {
  const hashes = minHashes(text!.texts, seed);
  const n = text!.texts.length;
  const width = hashes.length / n;
  const distance = (one: number, other: number): number => {
    let equal = 0;
    for (let i = 0; i < width; i++) if (hashes[one * width + i] === hashes[other * width + i]) equal += 1;
    return 1 - equal / width;
  };
  return { unlikeness: nthNearest(n, distance, signal), most: 1 - LEAST_LIKENESS };
}

function pictureUnlikeness(data: SuspectData, signal: AbortSignal | undefined): Unlikeness {
  const frequencies = lowFrequencies(data);
  const n = data.ids.length;
  const width = frequencies.length / n;
  const distance = (one: number, other: number): number => {
    let sum = 0;
    for (let i = 0; i < width; i++)
      sum += (frequencies[one * width + i]! - frequencies[other * width + i]!) ** 2;
    return Math.sqrt(sum);
  };
  return { unlikeness: nthNearest(n, distance, signal), most: Number.MAX_VALUE };
}

function nthNearest(
  n: number,
  distance: (one: number, other: number) => number,
  signal: AbortSignal | undefined,
): Float64Array {
  const nearest = new Float64Array(n * COPIES).fill(Number.MAX_VALUE);
  const insert = (index: number, value: number): void => {
    let place = COPIES - 1;
    if (value >= nearest[index * COPIES + place]!) return;
    for (; place > 0 && nearest[index * COPIES + place - 1]! > value; place--)
      nearest[index * COPIES + place] = nearest[index * COPIES + place - 1]!;
    nearest[index * COPIES + place] = value;
  };
  for (let one = 0; one < n; one++) {
    signal?.throwIfAborted();
    for (let other = one + 1; other < n; other++) {
      const value = distance(one, other);
      insert(one, value);
      insert(other, value);
    }
  }
  return Float64Array.from({ length: n }, (_, index) => nearest[index * COPIES + COPIES - 1]!);
}

function median(values: Float64Array): number {
  return values.slice().sort()[Math.floor(values.length / 2)] ?? 0;
}
