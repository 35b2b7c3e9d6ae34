import type { DataSpec } from '../spec/index.js';
import { classIndex } from './check.js';
import { dataColumns, typedValue } from './columns.js';
import type { Database } from './database.js';

/** The typed rows, by id: the table `accepted`. @param from - SQL of rows like those of `raw` */
export async function acceptRows(database: Database, data: DataSpec, from = 'raw'): Promise<void> {
  let index = 0;
  const features = data.features.flatMap((feature) =>
    feature.columns.map(() => `${typedValue(`f${index}`, feature)} AS f${index++}`),
  );
  if (data.text) features.push('f0');
  const others = dataColumns(data)
    .filter(({ other }) => other && other.keep === undefined)
    .map(({ typed, raw }) => `${typed} AS ${raw}`);
  await database.run(
    `CREATE TABLE accepted AS SELECT id::VARCHAR AS id, ${classIndex(data)} AS class, ` +
      `${[...features, ...others].join(', ')} FROM ${from} ORDER BY id`,
  );
}

/** Rows of each class in a table, by class index. @param index - SQL of the class index */
export async function rowsByClass(
  database: Database,
  data: DataSpec,
  index: string,
  table: string,
): Promise<readonly number[]> {
  const counted = await database.rows(
    `SELECT ${index} AS class, count(*)::DOUBLE AS rows FROM ${table} WHERE ${index} IS NOT NULL GROUP BY ALL`,
  );
  const rows = new Map(counted.map((row) => [Number(row.class), Number(row.rows)]));
  return data.label.classes.map((_, position) => rows.get(position) ?? 0);
}
