import {
  decodeModel,
  encodeModel,
  floatTensor,
  int64Tensor,
  lossGradientModel,
  lossGradientNames,
  openSession,
} from '../../onnx/index.js';
import { randomStream } from '../../random/index.js';
import { normalQuantile } from '../../statistics/index.js';
import type { Detector, SuspectData } from '../detector.js';
import { type AskLoss, findTrigger, type Trigger } from '../find-trigger.js';

/** Fewer sizes say nothing of what is usual. */
const LEAST_CLASSES = 5;
/** Samples that a trigger must take to its class. */
const SAMPLES = 100;

/**
 * Classes to which a much smaller change takes every input than to the others: the smallest trigger of each class is looked
 * for through the gradients of a network that learned the data, and a class stands out by how far its trigger's size lies
 * below the median, in median absolute deviations.
 *
 * Source: Wang et al., "Neural Cleanse: identifying and mitigating backdoor attacks in neural networks", S&P 2019, sections
 * 4.2 and 5.1; the threshold there is 2.
 */
export const triggerSearch: Detector = {
  name: 'trigger-search',
  looksFor: 'classes to which a small change takes any input',
  finds: 'classes',
  lacks: ({ classes, text }) =>
    text
      ? 'expected inputs that can be changed one by one, got hashed texts'
      : classes.length < LEAST_CLASSES
        ? `expected at least ${LEAST_CLASSES} classes, to compare the sizes of their triggers`
        : undefined,
  async detect(data, { embedding, seed, falseAlarmRate, signal }) {
    const { onnx } = await embedding();
    const session = await openSession(encodeModel(lossGradientModel(decodeModel(onnx))), { place: 'inline' });
    const triggers: Trigger[] = [];
    try {
      const ask: AskLoss = async (inputs, target) => {
        signal?.throwIfAborted();
        const n = inputs.length / data.minimum.length;
        const labels = Array.from({ length: n }, () => target);
        const results = await session.run({
          [lossGradientNames.input]: floatTensor([n, ...data.shape], inputs),
          [lossGradientNames.labels]: int64Tensor([n], labels),
        });
        return {
          gradient: results[lossGradientNames.gradient]!.data as Float32Array,
          logits: results[lossGradientNames.logits]!.data as Float32Array,
        };
      };
      for (const [target] of data.classes.entries()) {
        const samples = drawOthers(data, target, seed);
        triggers.push(await findTrigger(data, samples, target, ask));
      }
    } finally {
      await session.close();
    }
    const sizes = triggers.map(({ size }) => size);
    const middle = median(sizes);
    // 1.4826: of a normal variable, the deviation in median absolute ones.
    const deviation = 1.4826 * median(sizes.map((size) => Math.abs(size - middle)));
    const scores = Float64Array.from(sizes, (size) => (deviation > 0 ? (middle - size) / deviation : 0));
    return {
      ids: data.classes.map(String),
      scores,
      // Of all classes together, as one is enough to doubt the data.
      threshold: Math.max(2, normalQuantile(1 - falseAlarmRate / data.classes.length)),
      reason: (c) =>
        `expected a change of ${middle.toFixed(1)} inputs or so to take others to class ${data.classes[c]}, got ${sizes[c]!.toFixed(1)}, ${scores[c]!.toFixed(1)} deviations fewer`,
      figures: { 'median trigger size': middle, 'smallest trigger size': Math.min(...sizes) },
    };
  },
};

/** Inputs of samples of other classes, row-major. */
function drawOthers(
  { ids, inputs, labels, minimum }: SuspectData,
  target: number,
  seed: number,
): Float32Array {
  const size = minimum.length;
  const draws = ids.map((id) => randomStream(seed, 'trigger-search', target, id).uint32());
  const drawn = [...ids.keys()]
    .filter((index) => labels[index] !== target)
    .sort((one, other) => draws[one]! - draws[other]! || one - other)
    .slice(0, SAMPLES);
  const rows = new Float32Array(drawn.length * size);
  for (const [row, index] of drawn.entries())
    rows.set(inputs.subarray(index * size, (index + 1) * size), row * size);
  return rows;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  const half = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}
