import type { CheckVerdict, DataCheckSpec, DataSpec } from '../../spec/index.js';
import type { Interval } from '../../statistics/index.js';
import type { Database } from '../database.js';

/** The rows that would be accepted, and what they are compared with. */
export interface CheckedTable {
  readonly database: Database;
  readonly data: DataSpec;
  /** SQL of the rows: `id`, `class`, `f0`, …, `o0`, …, each in its own type. */
  readonly from: string;
  readonly rows: number;
  /** The same of the reference snapshot; its columns by name, since it may lack some. */
  readonly reference?: {
    readonly from: string;
    readonly rows: number;
    readonly columns: ReadonlySet<string>;
  };
  /** When the run began; known where a check asks for it. */
  readonly asOf?: Date;
}

/** Judges the data as a whole: an estimate with an interval, not a count, so that the verdict does not hang on how much data there is. */
export interface WholeCheck<Spec> {
  readonly check: DataCheckSpec['check'];
  judge(table: CheckedTable, spec: Spec): Promise<readonly CheckVerdict[]>;
}

/** Holds an interval against a limit: all of it on the good side passes, all on the bad side fails. */
export function statusOf(interval: Interval, limit: number, good: 'below' | 'above'): CheckVerdict['status'] {
  const [low, high] = interval;
  if (good === 'below' ? high <= limit : low >= limit) return 'pass';
  return (good === 'below' ? low > limit : high < limit) ? 'fail' : 'inconclusive';
}

/** A figure as people read it. */
export const figure = (value: number): string => String(Number(value.toPrecision(3)));
