import { randomStream } from '../../random/index.js';
import { clopperPearson } from '../../statistics/index.js';
import { byClass } from '../by-class.js';
import type { Detector, SuspectData } from '../detector.js';
import { type Embedding, hiddenOf, logitsOf } from '../embedding.js';
import { alongAxes, principalAxes } from '../principal-axes.js';
import { splitInTwo } from '../split-in-two.js';

/** Axes of a class that it is parted along, as in the source. */
const AXES = 10;
/** A larger part of a class is no poison, which is a minority. */
const MOST_SHARE = 0.4;
/**
 * Of an honest part, a network that saw none of it still knows some: of the ones and nines among digits that are written in
 * another way, half. A part is suspect where more than this share is contradicted, by the lower end of an interval.
 */
const MOST_CONTRADICTED = 0.8;
const CONFIDENCE = 0.95;

/**
 * Parts of a class that are apart in what a network learned, and that a network which never saw such parts calls another
 * class: without the trigger in its training, it sees what a sample would be without it. Honest classes have parts too, as
 * people write nines in two ways; but a network knows the one from the other ways, so it is asked, and not how far they are
 * apart.
 *
 * Source: Chen et al., "Detecting backdoor attacks on deep neural networks by activation clustering", SafeAI 2019, section 4
 * (parts by k-means, exclusionary reclassification), with all smaller parts left out at once.
 */
export const activationClustering: Detector = {
  name: 'activation-clustering',
  looksFor: 'parts of a class that a network which saw none of them calls another class',
  async detect(data, { embedding, embeddingOf, seed }) {
    const apart = smallerParts(data, await embedding(), seed);
    const others = await embeddingOf([...data.ids.keys()].filter((index) => !apart[index]));
    const classes = data.classes.length;
    const logits = logitsOf(hiddenOf(data.inputs, others), others);
    const row = (index: number): Float64Array => logits.subarray(index * classes, (index + 1) * classes);
    const isContradicted = data.ids.map(
      (_, index) => apart[index]! && row(index).indexOf(Math.max(...row(index))) !== data.labels[index],
    );
    const scores = new Float64Array(data.ids.length);
    for (const members of byClass(data.labels, classes)) {
      const part = members.filter((index) => apart[index]);
      const contradicted = part.filter((index) => isContradicted[index]);
      const [atLeast] = clopperPearson(contradicted.length, part.length, CONFIDENCE);
      for (const index of contradicted) scores[index] = atLeast;
    }
    return {
      scores,
      threshold: MOST_CONTRADICTED,
      reason: (index) =>
        `expected class ${data.classes[data.labels[index]!]} of a network that saw no such samples, got class ${data.classes[row(index).indexOf(Math.max(...row(index)))]}`,
      figures: { 'share of samples in smaller parts': apart.filter(Boolean).length / data.ids.length },
    };
  },
};

/** Whether each sample is in the smaller part of its class. */
function smallerParts(data: SuspectData, learned: Embedding, seed: number): readonly boolean[] {
  const hidden = hiddenOf(data.inputs, learned);
  const count = Math.min(AXES, learned.width);
  const apart = data.ids.map(() => false);
  for (const [c, members] of byClass(data.labels, data.classes.length).entries()) {
    const along = alongAxes(hidden, principalAxes(hidden, learned.width, members), count);
    const rows = Float64Array.from(
      members.flatMap((index) => [...along.subarray(index * count, (index + 1) * count)]),
    );
    const { isSmaller, share } = splitInTwo(rows, count, randomStream(seed, 'activation-clustering', c));
    if (share > MOST_SHARE) continue;
    for (const [position, index] of members.entries()) apart[index] = isSmaller[position]!;
  }
  return apart;
}
