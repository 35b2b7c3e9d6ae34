import type { FindingLevel } from './finding.js';
import type { ScanLimits } from './limits.js';
import type { Fault, Outline } from './outline.js';
import type { ModelView } from './view.js';

/** What the caller of a scan allows beyond the default. */
export interface ScanOptions {
  readonly limits?: Partial<ScanLimits>;
  /** Operator domains that are allowed besides ONNX's own, such as `com.microsoft`. */
  readonly domains?: readonly string[];
  /**
   * Allows tensors in files beside the model. Called with a plain relative path.
   * @returns the size of the file in bytes; `undefined` when there is none inside the model's folder
   */
  readonly externalSize?: (location: string) => number | undefined;
}

/** What rules look at. */
export interface Subject {
  readonly bytes: Uint8Array;
  readonly outline: Outline;
  readonly faults: readonly Fault[];
  /** Absent while the encoding itself is broken: nobody knows what such a file means. */
  readonly model?: ModelView;
  readonly limits: ScanLimits;
  readonly options: ScanOptions;
}

export interface Problem {
  readonly where: string;
  readonly offset?: number;
  readonly message: string;
  /** The rule's own when absent. */
  readonly level?: FindingLevel;
}

/** One thing that no model may do. */
export interface Rule {
  /** Never used again for another meaning. */
  readonly id: `ASSAY-ONNX-${string}`;
  readonly name: string;
  readonly level: FindingLevel;
  /** What the rule holds models to, one sentence. */
  readonly summary: string;
  readonly advice: string;
  check(subject: Subject): Iterable<Problem>;
}

/** A rule about a model that can be read; silent about one that cannot, which other rules refuse. */
export function modelRule(
  rule: Omit<Rule, 'check'> & { check(model: ModelView, subject: Subject): Iterable<Problem> },
): Rule {
  return { ...rule, check: (subject) => (subject.model ? rule.check(subject.model, subject) : []) };
}
