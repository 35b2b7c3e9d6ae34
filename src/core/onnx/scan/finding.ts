/** `error`: the model must not be loaded. `warning`: a person should look. `note`: worth knowing. */
export type FindingLevel = 'error' | 'warning' | 'note';

/** One thing that a scan found in a file. */
export interface Finding {
  /** A row of the rules, such as `ASSAY-ONNX-030`. */
  readonly rule: string;
  /** The rule in words, such as `external-data`. */
  readonly name: string;
  readonly level: FindingLevel;
  /** Such as `graph.node[3] (Loop "decode")`. */
  readonly where: string;
  /** Byte of the file at which it begins, where there is one. */
  readonly offset?: number;
  /** What was expected and what was found. */
  readonly message: string;
  /** What to do next. */
  readonly advice: string;
}

/** Everything that a scan found. */
export interface ScanReport {
  /** In the order of the rules; at most as many as the limits say. */
  readonly findings: readonly Finding[];
  /** How many of each level there are, those that are not listed included. */
  readonly counts: Readonly<Record<FindingLevel, number>>;
}
