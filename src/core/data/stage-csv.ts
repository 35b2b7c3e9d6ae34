import { RefusedError } from '../errors/index.js';
import { dataColumns } from './columns.js';
import { csvValues } from './records.js';
import { columnProblems, excerptOf, type Stage, type StagedSource, stageText } from './staging.js';

/** Comma-separated values (RFC 4180) with a header. */
export const stageCsv: Stage = async (input) => {
  const { data, database } = input;
  let columns: readonly string[] = [];
  let structure: StagedSource | undefined;
  const reader = await stageText(input, {
    quoting: true,
    header(record) {
      if (!record)
        throw new RefusedError('source-unreadable', 'expected a CSV file with a header, got an empty file');
      if (record.fault) {
        throw new RefusedError(
          'source-unreadable',
          `expected a CSV header, got ${record.fault}: ${JSON.stringify(excerptOf(record))}`,
        );
      }
      columns = csvValues(record);
      structure = columnProblems(data, columns);
      return columns.length;
    },
    record(record, values) {
      const text =
        record.fault ??
        (record.values === values ? undefined : `${record.values} values where the header has ${values}`);
      return text === undefined
        ? { values: record.bytes.toString() }
        : { fault: { rule: 'unparseable-row', text }, values: '' };
    },
  });
  const found = structure!;
  const value = (column: string) =>
    found.columns.has(column) ? `c${columns.indexOf(column)}` : 'NULL::VARCHAR';
  const selected = dataColumns(data).map(({ name, raw }) => `${value(name)} AS ${raw}`);
  await database.run(
    `CREATE TABLE raw AS SELECT row, rule, fault, excerpt, ${selected.join(', ')} FROM ${reader}`,
  );
  return found;
};
