/** What a rule found wrong with the data. */
export interface DataProblem {
  readonly rule: DataRule;
  /** Column of the source; absent where the problem is not about one. */
  readonly column?: string;
  /** 1 is the first record (after a CSV's header); blank lines are not counted. Null: about the source as a whole. */
  readonly row: number | null;
  /** The row's id, where it has one. */
  readonly id?: string;
  /** The start of what was found. */
  readonly value?: string;
  readonly expected: string;
  /** There were too few rows to tell; that refuses, too. */
  readonly inconclusive?: true;
}

export type DataRule =
  | 'missing-column'
  | 'extra-column'
  | 'duplicate-column'
  | 'column-type'
  | 'unparseable-row'
  | 'extra-field'
  | 'duplicate-field'
  | 'missing-value'
  | 'type'
  | 'not-finite'
  | 'range'
  | 'value'
  | 'one-hot'
  | 'text-length'
  | 'crowd'
  | 'unknown-label'
  | 'duplicate-id'
  | 'pattern'
  | 'length'
  | 'characters'
  | 'foreign-value'
  | 'rule'
  | 'duplicate'
  | 'image'
  | 'null-share'
  | 'freshness'
  | 'class-balance'
  | 'drift'
  | 'vector-drift'
  | 'quarantine-share'
  | 'row-count'
  | 'class-rows';

/** Characters of a found value that a report repeats. */
export const EXCERPT_LENGTH = 120;
