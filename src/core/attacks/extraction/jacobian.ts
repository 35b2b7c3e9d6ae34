import { openClassifier } from '../onnx-classifier.js';
import type { ExtractionAttack, Thief, Told } from './attack.js';
import { naturalQueries, type Queries } from './natural-queries.js';
import { softTargets } from './targets.js';

/** The first questions are this share of the budget; each round then doubles what was asked. */
const FIRST_SHARE = 0.25;
/** How far a round moves an input, as a share of the valid range. */
const STEP = 0.1;

/**
 * Begins with a few natural inputs, and asks next where its own copy changes fastest towards what the model said: each input moved by
 * the sign of the copy's gradient.
 *
 * Source: Papernot, McDaniel, Goodfellow, Jha, Celik, Swami, "Practical black-box attacks against machine learning", ASIA CCS 2017,
 * algorithm 1 (Jacobian-based data set augmentation).
 */
export const jacobian: ExtractionAttack = {
  name: 'jacobian',
  async steal(victim, thief) {
    const { classes } = victim;
    const first = Math.min(
      thief.owned.ids.length,
      Math.max(classes, Math.round(FIRST_SHARE * victim.remaining())),
      victim.remaining(),
    );
    let asked = naturalQueries(thief, first);
    let told = await victim.ask(asked.inputs, first);
    const train = (effort: 'draft' | 'final') =>
      thief.imitate(asked.ids, asked.inputs, softTargets(told, classes, thief.temperature), effort);
    for (let round = 1; victim.remaining() > 0; round++) {
      const next = await augmented(await train('draft'), asked, told, round, victim.remaining(), thief);
      const answer = await victim.ask(next.inputs, next.ids.length);
      asked = { ids: [...asked.ids, ...next.ids], inputs: joined(asked.inputs, next.inputs) };
      told = {
        labels: Int32Array.from([...told.labels, ...answer.labels]),
        probabilities: Float64Array.from([...told.probabilities, ...answer.probabilities]),
      };
    }
    return await train('final');
  },
};

async function augmented(
  copy: Uint8Array,
  { ids, inputs }: Queries,
  { labels }: Told,
  round: number,
  most: number,
  { shape, minimum, maximum }: Thief,
): Promise<Queries> {
  const count = Math.min(ids.length, most);
  const size = minimum.length;
  const from = inputs.subarray(0, count * size);
  const classifier = await openClassifier(copy, shape);
  try {
    const weights = new Float32Array(count * classifier.classes);
    labels.subarray(0, count).forEach((label, row) => {
      if (label >= 0) weights[row * classifier.classes + label] = 1;
    });
    const gradient = await classifier.logitGradient(from, weights, count);
    const moved = from.map((value, index) => {
      const [low, high] = [minimum[index % size]!, maximum[index % size]!];
      const next = value + STEP * (high - low) * Math.sign(gradient[index]!);
      return Math.min(high, Math.max(low, next));
    });
    return { ids: ids.slice(0, count).map((id) => `${id} round ${round}`), inputs: moved };
  } finally {
    await classifier.close();
  }
}

function joined(one: Float32Array, other: Float32Array): Float32Array {
  const all = new Float32Array(one.length + other.length);
  all.set(one);
  all.set(other, one.length);
  return all;
}
