import type { Votes } from '../crowd/index.js';
import type { TextFeatures } from '../spec/index.js';
import type { Embedding } from './embedding.js';

/** Labelled samples that somebody may have tampered with. */
export interface SuspectData {
  /** Unique. */
  readonly ids: readonly string[];
  /** ids.length · size values, row-major. */
  readonly inputs: Float32Array;
  /** Valid range of each input value (length: one sample's size). */
  readonly minimum: Float32Array;
  readonly maximum: Float32Array;
  /** Class index of each sample, as the source has it. */
  readonly labels: Uint32Array;
  /** Of one sample, such as [1, 8, 8]. */
  readonly shape: readonly number[];
  /** Where inputs are the hashed n-grams of texts: the texts, by sample. */
  readonly text?: { readonly texts: readonly string[]; readonly features: TextFeatures };
  /** Where labels are a crowd's: who said what. */
  readonly crowd?: { readonly contributors: readonly string[]; readonly votes: Votes };
  /** Classes by index, as the source names them. */
  readonly classes: readonly (string | number)[];
}

export interface DetectorContext {
  /** Keys every random draw, together with what it is for. */
  readonly seed: number;
  /** Share of honest samples that may be flagged, in (0, 0.5). */
  readonly falseAlarmRate: number;
  /**
   * What models say of samples that they were not trained on, n·classes, rows summing to 1; computed when first asked for.
   */
  readonly outOfSample: () => Promise<Float64Array>;
  /** What a network learned of all of the data, poison included; trained when first asked for. */
  readonly embedding: () => Promise<Embedding>;
  /** The same of some of the samples, by index. */
  readonly embeddingOf: (included: readonly number[]) => Promise<Embedding>;
  readonly signal?: AbortSignal;
}

/** What a detector says of all samples, or of all contributors or classes. */
export interface Detection {
  /** Names of what is scored, where it is not the samples. */
  readonly ids?: readonly string[];
  /** One a sample: the larger, the more suspicious. */
  readonly scores: Float64Array;
  /** A sample is suspect where its score lies above. */
  readonly threshold: number;
  /** Why one sample is suspect, in a sentence: what was expected of it and what it is. */
  reason(index: number): string;
  /** Further figures, such as the estimated share of wrong labels. */
  readonly figures: Readonly<Record<string, number>>;
}

/**
 * A poisoning detector: one file, one value of this interface, one row of the registry. It takes the data to be honest
 * for the most part, and sets its threshold where honest samples come to lie above it at the false-alarm rate.
 */
export interface Detector {
  readonly name: string;
  /** What it looks for, as a report says it. */
  readonly looksFor: string;
  /** What it names as suspects; default: samples. */
  readonly finds?: 'contributors' | 'classes';
  /** What data must be for it to say anything: undefined when they are. */
  lacks?(data: SuspectData): string | undefined;
  detect(data: SuspectData, context: DetectorContext): Promise<Detection>;
}

/** The suspects, the most suspicious first. */
export function suspectsOf({ scores, threshold }: Detection): readonly number[] {
  return [...scores.keys()]
    .filter((index) => scores[index]! > threshold)
    .sort((one, other) => scores[other]! - scores[one]! || one - other);
}
