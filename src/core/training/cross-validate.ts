import type { Dataset } from '../data/index.js';
import { RefusedError } from '../errors/index.js';
import { floatTensor, openSession } from '../onnx/index.js';
import { randomStream } from '../random/index.js';
import { gatherRows } from './built-in/batch.js';
import { type ShallowTrainingOptions, trainShallow } from './shallow-network.js';

/** A sample is in the fold that a draw of its own says, so that its fold does not depend on the order of samples. */
const FOLDS = 5;

/**
 * What models say of samples that they were not trained on: five small networks, each trained on four fifths of the data,
 * answer for the fifth that they have not seen. A temperature, fitted to the labels, takes back what networks are too sure of.
 *
 * Source of the temperature: Guo, Pleiss, Sun, Weinberger, "On calibration of modern neural networks", ICML 2017.
 *
 * @returns n·classes probabilities, rows summing to 1
 * @throws RefusedError `data-refused` when there are fewer than 50 samples; `training-refused` when training diverges
 */
export async function crossValidate(data: Dataset, options: ShallowTrainingOptions): Promise<Float64Array> {
  const { shape, classes, seed, onProgress } = options;
  const n = data.ids.length;
  if (n < 10 * FOLDS) {
    throw new RefusedError(
      'data-refused',
      `expected at least ${10 * FOLDS} samples to cross-validate, got ${n}`,
    );
  }
  const size = data.inputs.length / n;
  const folds = Uint8Array.from(data.ids, (id) => randomStream(seed, 'fold', id).integer(FOLDS));
  const logits = new Float64Array(n * classes);
  for (let fold = 0; fold < FOLDS; fold++) {
    const rows = (inside: boolean): Uint32Array =>
      Uint32Array.from([...folds.keys()].filter((index) => (folds[index] === fold) === inside));
    const part = (indices: Uint32Array): Dataset => ({
      ids: Array.from(indices, (index) => data.ids[index]!),
      inputs: gatherRows(data.inputs, size, indices),
      labels: indices.map((index) => data.labels[index]!),
    });
    const unseen = rows(true);
    if (unseen.length === 0) continue;
    const asked = part(unseen);
    const { onnx } = await trainShallow(
      part(rows(false)),
      {
        ...options,
        seed: seed + fold,
        onProgress: (fraction) => onProgress?.((fold + fraction) / FOLDS),
      },
      n,
    );
    const session = await openSession(onnx, { place: 'inline' });
    try {
      const results = await session.run({
        [session.inputNames[0]!]: floatTensor([unseen.length, ...shape], asked.inputs),
      });
      const answers = results[session.outputNames[0]!]!.data as Float32Array;
      unseen.forEach((index, row) => {
        logits.set(answers.subarray(row * classes, (row + 1) * classes), index * classes);
      });
    } finally {
      await session.close();
    }
  }
  return softmaxRows(logits, classes, calibratedTemperature(logits, data.labels, classes));
}

/** The temperature at which the labels are likeliest, found by golden section on a logarithmic scale from 1/20 to 20. */
function calibratedTemperature(logits: Float64Array, labels: Uint32Array, classes: number): number {
  const cost = (logarithm: number): number => {
    const probabilities = softmaxRows(logits, classes, Math.exp(logarithm));
    return labels.reduce(
      (sum, label, index) => sum - Math.log(Math.max(probabilities[index * classes + label]!, 1e-300)),
      0,
    );
  };
  const ratio = (Math.sqrt(5) - 1) / 2;
  let [low, high] = [-Math.log(20), Math.log(20)];
  while (high - low > 0.01) {
    const [one, other] = [high - ratio * (high - low), low + ratio * (high - low)];
    if (cost(one) <= cost(other)) high = other;
    else low = one;
  }
  return Math.exp((low + high) / 2);
}

function softmaxRows(logits: Float64Array, classes: number, temperature: number): Float64Array {
  const probabilities = new Float64Array(logits.length);
  for (let at = 0; at < logits.length; at += classes) {
    const row = logits.subarray(at, at + classes).map((logit) => logit / temperature);
    const largest = row.reduce((most, logit) => Math.max(most, logit), Number.NEGATIVE_INFINITY);
    const sum = row.reduce((total, logit) => total + Math.exp(logit - largest), 0);
    row.forEach((logit, c) => {
      probabilities[at + c] = Math.exp(logit - largest) / sum;
    });
  }
  return probabilities;
}
