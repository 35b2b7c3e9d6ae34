import type { ModelCard } from '../spec/index.js';
import { indexOfLargest, softmax } from './probabilities.js';

export type OutputName = 'label' | 'probabilities' | 'abstained';

/** The outputs of an endpoint: those of every one, and whether it abstains of one that is served smoothed. */
export function outputNamesOf({ smoothing }: Pick<ModelCard, 'smoothing'>): readonly OutputName[] {
  return smoothing ? ['label', 'probabilities', 'abstained'] : ['label', 'probabilities'];
}

/** An output as the Open Inference Protocol describes it; −1 is the batch axis. */
export interface OutputMetadata {
  readonly name: OutputName;
  readonly datatype: 'INT64' | 'BYTES' | 'FP32' | 'BOOL';
  readonly shape: readonly number[];
}

/** An output tensor of an answer, row-major. */
export interface OutputTensor extends OutputMetadata {
  readonly data: readonly (number | string | boolean)[];
}

/** `label` is INT64 when every class of the card is an integer, else BYTES: UTF-8 strings in JSON. */
export function describeOutputs(card: ModelCard): readonly OutputMetadata[] {
  const { classes } = card.output;
  return [
    { name: 'label', datatype: hasIntegerClasses(card) ? 'INT64' : 'BYTES', shape: [-1] },
    { name: 'probabilities', datatype: 'FP32', shape: [-1, classes.length] },
    ...(card.smoothing ? [{ name: 'abstained', datatype: 'BOOL', shape: [-1] } as const] : []),
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
  const labels = rows.map((row) => classes[indexOfLargest(row)]!);
  return tensorsOf(card, requested, samples, {
    label: hasIntegerClasses(card) ? labels : labels.map(String),
    probabilities,
  });
}

/** What a smoothed classifier says of one sample. */
export interface Vote {
  /** Class index; −1 where it abstains. */
  readonly predicted: number;
  /** Share of the noisy copies by class. */
  readonly shares: Float32Array;
}

/**
 * What a prediction of a smoothed classifier reveals: for each sample the class that won the vote and the shares of the vote
 * as `probabilities`, or that it abstains. Of an abstention there is nothing else to take for an answer: its label is
 * {@link abstentionLabel}, and its probabilities are all 0.
 */
export function smoothedOutputTensors(
  card: ModelCard,
  votes: readonly Vote[],
  requested: readonly OutputName[],
): readonly OutputTensor[] {
  const labels = votes.map(({ predicted }) => card.output.classes[predicted] ?? abstentionLabel(card));
  return tensorsOf(card, requested, votes.length, {
    label: hasIntegerClasses(card) ? labels : labels.map(String),
    probabilities: votes.flatMap(({ predicted, shares }) =>
      predicted < 0 ? Array.from(shares, () => 0) : [...shares],
    ),
    abstained: votes.map(({ predicted }) => predicted < 0),
  });
}

/** A label that is no class: the first of −1, −2, …, or the first of '', '-', '--', … */
export function abstentionLabel(card: Pick<ModelCard, 'output'>): string | number {
  const { classes } = card.output;
  const names = new Set(classes.map(String));
  for (let tried = 0; ; tried++) {
    const label = hasIntegerClasses(card) ? -1 - tried : '-'.repeat(tried);
    if (!names.has(String(label))) return label;
  }
}

function hasIntegerClasses({ output }: Pick<ModelCard, 'output'>): boolean {
  return output.classes.every((name) => typeof name === 'number');
}

function tensorsOf(
  card: ModelCard,
  requested: readonly OutputName[],
  samples: number,
  data: Readonly<Partial<Record<OutputName, OutputTensor['data']>>>,
): readonly OutputTensor[] {
  const described = describeOutputs(card);
  return requested.map((name) => {
    const { datatype, shape } = described.find((output) => output.name === name)!;
    return { name, datatype, shape: [samples, ...shape.slice(1)], data: data[name] ?? [] };
  });
}
