import { createHash } from 'node:crypto';
import type { DataSpec } from '../spec/index.js';
import { type Database, literal } from './database.js';
import type { Split } from './dataset.js';
import type { DataProblem } from './problem.js';

export const splits: readonly Split[] = ['train', 'validation', 'test'];

/** Rows of each class in each split, by class index. */
export type ClassRows = Readonly<Record<Split, readonly number[]>>;

/**
 * How many rows of a class go where: fractions rounded, at least one row each.
 * @param rows - at least three
 */
export function splitSizes(rows: number, fractions: DataSpec['split']): Readonly<Record<Split, number>> {
  const test = Math.min(Math.max(1, Math.round(rows * fractions.test)), rows - 2);
  const validation = Math.min(Math.max(1, Math.round(rows * fractions.validation)), rows - test - 1);
  return { train: rows - test - validation, validation, test };
}

/** Classes with too few rows to be in every split. */
export function classProblems(data: DataSpec, rows: readonly number[]): readonly DataProblem[] {
  return rows.flatMap((count, index): DataProblem[] =>
    count >= splits.length
      ? []
      : [
          {
            rule: 'class-rows',
            column: data.label.column,
            row: null,
            value: `${count} rows of class ${data.label.classes[index]}`,
            expected: `at least ${splits.length} rows of every class, one for each split`,
          },
        ],
  );
}

/**
 * Fills the table `assigned` (`id`, `split`) from the table `accepted` (`id`, `class`, …).
 *
 * Within each class, rows are ranked by a keyed hash of seed, class and id, and ranks are cut by the fractions. So the
 * split is stratified exactly, knows nothing of the features or of the source's order, and moves only the rows at the
 * cuts when rows are added.
 */
export async function assignSplits(
  database: Database,
  data: DataSpec,
  rows: readonly number[],
): Promise<ClassRows> {
  const sizes = rows.map((count) => splitSizes(count, data.split));
  const key = createHash('sha256').update(`assay split ${data.split.seed}`).digest('hex');
  const cuts = sizes.map(({ train, validation }, index) => `(${index}, ${train}, ${train + validation})`);
  await database.run(
    "CREATE TABLE assigned AS SELECT id, CASE WHEN rank <= train_end THEN 'train' WHEN rank <= validation_end " +
      "THEN 'validation' ELSE 'test' END AS split FROM (SELECT id, class, row_number() OVER (PARTITION BY class " +
      `ORDER BY sha256(${literal(key)} || ':' || class || ':' || id), id) AS rank FROM accepted) ` +
      `JOIN (VALUES ${cuts.join(', ')}) AS cuts(class, train_end, validation_end) USING (class)`,
  );
  const of = (split: Split) => sizes.map((size) => size[split]);
  return { train: of('train'), validation: of('validation'), test: of('test') };
}
