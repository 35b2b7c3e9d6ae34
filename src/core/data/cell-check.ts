/** One check of one value in every row. */
export interface CellCheck {
  readonly column: string;
  /** Further columns that it looks at. */
  readonly others?: readonly string[];
  /** The column of `raw`. */
  readonly value: string;
  /** SQL: the broken rule, or NULL. */
  readonly rule: string;
  readonly expected: string;
}
