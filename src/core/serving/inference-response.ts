import type { ModelCard } from '../spec/index.js';
import { indexOfLargest, softmax } from './probabilities.js';

/** The outputs of every endpoint, whatever model is behind it. */
export const outputNames = ['label', 'probabilities'] as const;
export type OutputName = (typeof outputNames)[number];

/** An output as the Open Inference Protocol describes it; −1 is the batch axis. */
export interface OutputMetadata {
  readonly name: OutputName;
  readonly datatype: 'INT64' | 'BYTES' | 'FP32';
  readonly shape: readonly number[];
}

/** An output tensor of an answer, row-major. */
export interface OutputTensor extends OutputMetadata {
  readonly data: readonly (number | string)[];
}

/** `label` is INT64 when every class of the card is an integer, else BYTES: UTF-8 strings in JSON. */
export function describeOutputs(card: ModelCard): readonly OutputMetadata[] {
  const { classes } = card.output;
  const integers = classes.every((name) => typeof name === 'number');
  return [
    { name: 'label', datatype: integers ? 'INT64' : 'BYTES', shape: [-1] },
    { name: 'probabilities', datatype: 'FP32', shape: [-1, classes.length] },
  ];
}

/**
 * What a prediction reveals: for each sample the class of its largest logit, and the softmax of its logits.
 *
 * @param logits - row-major [samples, classes], as the model gave them
 * @param requested - which outputs, in which order
 * @throws RefusedError `prediction-undefined` when a logit is not finite
 */
export function outputTensors(
  card: ModelCard,
  logits: Float32Array,
  requested: readonly OutputName[],
): readonly OutputTensor[] {
  const { classes } = card.output;
  const samples = logits.length / classes.length;
  const rows = Array.from({ length: samples }, (_, sample) =>
    logits.subarray(sample * classes.length, (sample + 1) * classes.length),
  );
  // Computed even when only labels are asked for: it refuses logits that are not finite.
  const probabilities = rows.flatMap((row) => Array.from(softmax(row), Math.fround));
  const described = describeOutputs(card);
  const [label] = described;
  const labels = rows.map((row) => classes[indexOfLargest(row)]!);
  const data: Readonly<Record<OutputName, readonly (number | string)[]>> = {
    label: label?.datatype === 'INT64' ? labels : labels.map(String),
    probabilities,
  };
  return requested.map((name) => {
    const { datatype, shape } = described.find((output) => output.name === name)!;
    return { name, datatype, shape: [samples, ...shape.slice(1)], data: data[name] };
  });
}
