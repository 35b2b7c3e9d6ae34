/** Samples in memory, as a model sees them: scaled, float32, in the snapshot's order. */
export interface Dataset {
  readonly ids: readonly string[];
  /** ids.length · size values, row-major. */
  readonly inputs: Float32Array;
  /** Class index of each sample. */
  readonly labels: Uint32Array;
  /** The text of each sample, where the inputs are made of texts. */
  readonly texts?: readonly string[];
}

export type Split = 'train' | 'validation' | 'test';
