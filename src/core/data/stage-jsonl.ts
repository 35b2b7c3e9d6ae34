import { type DataColumn, dataColumns } from './columns.js';
import { literal } from './database.js';
import { quoted, type Stage, type StagedRecord, stageText } from './staging.js';

/** JSON Lines: one object a line. Numbers must be JSON numbers; ids and labels may be strings, numbers or booleans. */
export const stageJsonl: Stage = async (input) => {
  const { data, database } = input;
  const all = dataColumns(data);
  const columns = new Set(all.map(({ name }) => name));

  const reader = await stageText(input, {
    quoting: false,
    record(record): StagedRecord {
      const unparseable = (text: string): StagedRecord => ({
        fault: { rule: 'unparseable-row', text },
        values: '',
      });
      if (record.fault) return unparseable(record.fault);
      const line = record.bytes.toString();
      // DuckDB's parser also takes NaN and Infinity, which are not JSON.
      const parsed = parseJson(line);
      if (parsed === undefined) return unparseable('a line that is not JSON');
      if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
        return unparseable('a line that is not a JSON object');
      }
      const extra = Object.keys(parsed).filter((key) => !columns.has(key));
      const fault = { rule: 'extra-field', text: `also ${JSON.stringify(extra).slice(1, -1)}` } as const;
      return extra.length > 0 ? { fault, values: quoted(line) } : { values: quoted(line) };
    },
  });

  // A list of pointers is looked up in one parse of the line; one call each would parse it once a column.
  const pointers = all.map(({ name }) => literal(pointerTo(name)));
  const text = (position: number) =>
    `CASE WHEN json_type(v[${position}]) IN ('OBJECT', 'ARRAY', 'NULL') THEN NULLIF(v[${position}]::VARCHAR, 'null') ` +
    `ELSE v[${position}] ->> '$' END`;
  // The raw JSON text, so that the string "5" is not taken for the number 5.
  const values = all.map(
    (column, i) =>
      `${isText(column) ? text(i + 1) : `NULLIF(v[${i + 1}]::VARCHAR, 'null')`} AS ${column.raw}`,
  );
  await database.run(
    'CREATE TABLE raw AS SELECT row, ' +
      `CASE WHEN NOT valid THEN 'unparseable-row' WHEN keys <> distinct_keys THEN 'duplicate-field' ELSE rule END AS rule, ` +
      `CASE WHEN NOT valid THEN 'a line that is not JSON' WHEN keys <> distinct_keys THEN 'a field twice' ELSE fault END AS fault, ` +
      `CASE WHEN NOT valid OR keys <> distinct_keys THEN left(line, 120) ELSE excerpt END AS excerpt, ` +
      `${values.join(', ')} FROM (` +
      'SELECT row, rule, fault, excerpt, c0 AS line, c0 IS NULL OR json_valid(c0) AS valid, ' +
      'len(json_keys(json)) AS keys, len(list_distinct(json_keys(json))) AS distinct_keys, ' +
      `json_extract(json, [${pointers.join(', ')}]) AS v FROM (` +
      `SELECT *, CASE WHEN json_valid(c0) THEN c0 END AS json FROM ${reader}))`,
  );
  return { problems: [], columns };
};

/** Whether strings stand for the value itself. */
function isText({ kind, other }: DataColumn): boolean {
  return (
    kind === 'id' ||
    kind === 'label' ||
    kind === 'text' ||
    other?.type === 'text' ||
    other?.type === 'timestamp'
  );
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** RFC 6901: unlike a JSON path, a pointer can name any key. */
const pointerTo = (key: string): string => `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
