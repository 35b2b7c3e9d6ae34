/** What a scan takes for too much. Each limit bounds the time and memory of the scan itself, or of loading the model. */
export interface ScanLimits {
  /** protobuf's own limit on a message. */
  readonly fileBytes: number;
  /** Messages inside each other; a graph inside an attribute costs three. */
  readonly depth: number;
  /** Messages in the file, each node, attribute, tensor and dimension being one. */
  readonly messages: number;
  readonly nodes: number;
  /** Names, documentation and metadata together. */
  readonly textBytes: number;
  /** One name. */
  readonly nameBytes: number;
  /** Elements of one tensor; 2⁵³ and int64 are far above. */
  readonly elements: number;
  readonly rank: number;
  /** What operators make of constants alone, over the whole model: it exists before any input does. */
  readonly constantBytes: number;
  /** One intermediate value, for one sample where the batch is open. */
  readonly valueBytes: number;
  /** Iterations of a `Loop`, those of the loops around it multiplied in. */
  readonly iterations: number;
  /** Graphs inside each other by `If`, `Loop` and `Scan`. */
  readonly graphDepth: number;
  /** Findings that are listed one by one; those beyond are counted. */
  readonly findings: number;
}

export const scanLimits: ScanLimits = {
  fileBytes: 2 ** 31 - 1,
  depth: 40,
  messages: 2_000_000,
  nodes: 100_000,
  textBytes: 2 ** 26,
  nameBytes: 4096,
  elements: 2 ** 31 - 1,
  rank: 32,
  constantBytes: 2 ** 28,
  valueBytes: 2 ** 30,
  iterations: 2 ** 16,
  graphDepth: 4,
  findings: 1000,
};
