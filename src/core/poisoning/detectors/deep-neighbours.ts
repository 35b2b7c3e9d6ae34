import { byClass } from '../by-class.js';
import type { Detector } from '../detector.js';
import { hiddenOf } from '../embedding.js';
import { robustTail } from '../robust-tail.js';

/** Neighbours of either kind. */
const NEIGHBOURS = 5;
/** Samples that others are compared with at most, by class. */
const MOST_REFERENCES = 1000;

/**
 * Samples that a network sees among another class than their label's: how near the nearest samples of the own class are,
 * against how near those of the nearest other class are. Clean-label poison looks right to people, and is found there.
 *
 * Source: Peri et al., "Deep k-NN defense against clean-label data poisoning attacks", ECCV workshops 2020; distances are
 * compared instead of counted, so that there is a scale to set a threshold on.
 */
export const deepNeighbours: Detector = {
  name: 'deep-neighbours',
  looksFor: 'samples that a network sees among another class',
  async detect(data, { falseAlarmRate, embedding, signal }) {
    const learned = await embedding();
    const hidden = hiddenOf(data.inputs, learned);
    const { width } = learned;
    const { ids, labels } = data;
    const references = byClass(labels, data.classes.length).map((members) =>
      [...members].sort((one, other) => (ids[one]! < ids[other]! ? -1 : 1)).slice(0, MOST_REFERENCES),
    );
    const nearestClass = new Uint32Array(ids.length);
    const scores = Float64Array.from(ids, (_, index) => {
      signal?.throwIfAborted();
      const distances = references.map((members) => meanOfNearest(hidden, width, index, members));
      const own = distances[labels[index]!]!;
      const others = distances.map((distance, c) =>
        c === labels[index] ? Number.POSITIVE_INFINITY : distance,
      );
      const nearest = Math.min(...others);
      nearestClass[index] = others.indexOf(nearest);
      const least = 1e-9;
      return Math.log(Math.max(least, own) / Math.max(least, nearest));
    });
    const threshold = Math.max(0, robustTail(scores, falseAlarmRate));
    return {
      scores,
      threshold,
      reason: (index) =>
        `expected samples of class ${data.classes[labels[index]!]} nearby, got class ${data.classes[nearestClass[index]!]} ${Math.exp(scores[index]!).toFixed(2)} times as near`,
      figures: {},
    };
  },
};

function meanOfNearest(
  hidden: Float64Array,
  width: number,
  index: number,
  members: readonly number[],
): number {
  const nearest = new Float64Array(NEIGHBOURS).fill(Number.POSITIVE_INFINITY);
  let found = 0;
  for (const other of members) {
    if (other === index) continue;
    let square = 0;
    const limit = nearest[NEIGHBOURS - 1]!;
    for (let i = 0; i < width && square < limit; i++)
      square += (hidden[index * width + i]! - hidden[other * width + i]!) ** 2;
    if (square >= limit) continue;
    found += 1;
    let place = NEIGHBOURS - 1;
    for (; place > 0 && nearest[place - 1]! > square; place--) nearest[place] = nearest[place - 1]!;
    nearest[place] = square;
  }
  const count = Math.min(found, NEIGHBOURS);
  if (count === 0) return Number.POSITIVE_INFINITY;
  return nearest.subarray(0, count).reduce((sum, square) => sum + Math.sqrt(square) / count, 0);
}
