import type { TextEvaluation } from '../../core/evaluation/index.js';
import type { Digest } from '../../core/spec/index.js';

/** What `assay attack --edits` found: the JSON result, and all that table and report show. */
export interface TextsResult {
  readonly version: 1;
  readonly model: { readonly file: string; readonly digest: Digest };
  readonly data: {
    readonly file: string;
    readonly digest: Digest;
    readonly available: number;
    readonly seed: number;
  };
  readonly adversary: {
    readonly words: number;
    readonly characters: boolean;
    readonly synonyms: Readonly<Record<string, readonly string[]>>;
  };
  readonly classes: readonly (string | number)[];
  readonly notes: readonly string[];
  readonly status: TextEvaluation['status'] | 'measured';
  readonly reasons: readonly string[];
  readonly minimum: number | null;
  readonly cleanAccuracy: number;
  readonly robustAccuracy: TextEvaluation['robust'];
  readonly rows: TextEvaluation['rows'];
  /** The command line, for whoever wants to see it again. */
  readonly command: string;
}
