import type { ModelCard, Reveals } from '../spec/index.js';
import { indexOfLargest, softmax } from './probabilities.js';

export type OutputName = 'label' | 'probabilities' | 'abstained';

/** The outputs that a client may ask for: those revealed, and whether the endpoint abstains if it is served smoothed. */
export function outputNamesOf(
  { smoothing }: Pick<ModelCard, 'smoothing'>,
  { outputs }: Pick<Reveals, 'outputs'>,
): readonly OutputName[] {
  const revealed = (['label', 'probabilities'] as const).filter((name) => outputs.includes(name));
  return smoothing ? [...revealed, 'abstained'] : revealed;
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

/** The outputs that a client may ask for, as the protocol describes them. */
export function describeOutputs(
  card: ModelCard,
  reveals: Pick<Reveals, 'outputs'>,
): readonly OutputMetadata[] {
  return outputNamesOf(card, reveals).map((name) => describeOutput(card, name));
}

/** `label` is INT64 when every class of the card is an integer, else BYTES: UTF-8 strings in JSON. */
function describeOutput(card: ModelCard, name: OutputName): OutputMetadata {
  switch (name) {
    case 'label':
      return { name, datatype: hasIntegerClasses(card) ? 'INT64' : 'BYTES', shape: [-1] };
    case 'probabilities':
      return { name, datatype: 'FP32', shape: [-1, card.output.classes.length] };
    case 'abstained':
      return { name, datatype: 'BOOL', shape: [-1] };
  }
}

/** What may be told of the probabilities of one answer: `reveal` of this room, with all but the answer bound. */
export type RevealRow = (probabilities: Float64Array, answer: number, sample: number) => Float64Array;

/**
 * An answer: for each sample the class of its largest logit, and what may be told of the softmax of its logits.
 *
 * @param logits - row-major [samples, classes], as the model gave them
 * @param requested - which outputs, in which order
 * @param revealRow - what is told of the probabilities
 * @throws RefusedError `prediction-undefined` when a logit is not finite
 */
export function outputTensors(
  card: ModelCard,
  logits: Float32Array,
  requested: readonly OutputName[],
  revealRow: RevealRow,
): readonly OutputTensor[] {
  const { classes } = card.output;
  const samples = logits.length / classes.length;
  const rows = Array.from({ length: samples }, (_, sample) =>
    logits.subarray(sample * classes.length, (sample + 1) * classes.length),
  );
  const answers = rows.map(indexOfLargest);
  // Computed even when only labels are asked for: it refuses logits that are not finite.
  const probabilities = rows.flatMap((row, sample) => [...revealRow(softmax(row), answers[sample]!, sample)]);
  const labels = answers.map((answer) => classes[answer]!);
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
 * An answer of a smoothed classifier: for each sample the class that won the vote and what may be told of the shares of the vote
 * as `probabilities`, or that it abstains. Of an abstention there is nothing else to take for an answer: its label is
 * {@link abstentionLabel}, and its probabilities are all 0.
 */
export function smoothedOutputTensors(
  card: ModelCard,
  votes: readonly Vote[],
  requested: readonly OutputName[],
  revealRow: RevealRow,
): readonly OutputTensor[] {
  const labels = votes.map(({ predicted }) => card.output.classes[predicted] ?? abstentionLabel(card));
  return tensorsOf(card, requested, votes.length, {
    label: hasIntegerClasses(card) ? labels : labels.map(String),
    probabilities: votes.flatMap(({ predicted, shares }, sample) =>
      predicted < 0
        ? Array.from(shares, () => 0)
        : [...revealRow(Float64Array.from(shares), predicted, sample)],
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
  return requested.map((name) => {
    const { datatype, shape } = describeOutput(card, name);
    return { name, datatype, shape: [samples, ...shape.slice(1)], data: data[name] ?? [] };
  });
}
