import { RefusedError, TransientError } from '../errors/index.js';
import { identifier, literal } from './database.js';
import type { DataProblem } from './problem.js';
import { columnProblems, featureColumns, type Stage } from './staging.js';

const NUMERIC = /^(U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|FLOAT|DOUBLE|DECIMAL\(.*\))$/;
const TEXTUAL = /^(VARCHAR|U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|BOOLEAN|UUID|ENUM\(.*\))$/;

/** Apache Parquet with flat columns: numbers for features, text or integers for id and label. */
export const stageParquet: Stage = async ({ data, database, file, signal }) => {
  const reader = `read_parquet(${literal(file)}, hive_partitioning = false)`;
  try {
    const described = await database.rows(`DESCRIBE SELECT * FROM ${reader}`);
    const types = new Map(
      described.map((column) => [String(column.column_name), String(column.column_type)]),
    );
    const found = columnProblems(data, [...types.keys()]);
    const usable = new Set(found.columns);
    const mistyped: DataProblem[] = [];
    const features = featureColumns(data);
    for (const column of found.columns) {
      const numeric = ![data.id, data.label.column, data.text?.column].includes(column);
      const type = types.get(column)!;
      if ((numeric ? NUMERIC : TEXTUAL).test(type)) continue;
      usable.delete(column);
      const expected = numeric ? 'a column of numbers' : 'a column of text or integers';
      mistyped.push({ rule: 'column-type', column, row: null, value: type, expected });
    }
    const value = (column: string) => `${usable.has(column) ? identifier(column) : 'NULL'}::VARCHAR`;
    await database.run(
      'CREATE TABLE raw AS SELECT row_number() OVER () AS row, NULL::VARCHAR AS rule, NULL::VARCHAR AS fault, ' +
        `NULL::VARCHAR AS excerpt, ${value(data.id)} AS id, ${value(data.label.column)} AS label, ` +
        `${features.map((column, i) => `${value(column)} AS f${i}`).join(', ')} FROM ${reader}`,
    );
    return { problems: [...found.problems, ...mistyped], columns: usable };
  } catch (error) {
    if (error instanceof TransientError || signal?.aborted) throw error;
    const [reason] = String((error as Error).message)
      .replaceAll(file, 'the source')
      .split('\n');
    throw new RefusedError('source-unreadable', `expected a whole Parquet file: ${reason}`, [], {
      cause: error,
    });
  }
};
