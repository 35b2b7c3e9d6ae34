import type { CheckVerdict, OtherColumnSpec } from '../../spec/index.js';
import { clopperPearson } from '../../statistics/index.js';
import { type CheckedTable, figure, statusOf } from './check.js';

const CONFIDENCE = 0.95;

/** Whether columns have a value as often as the data block says. */
export async function nullShares(table: CheckedTable): Promise<readonly CheckVerdict[]> {
  const { database, data, from, rows } = table;
  const limited = (data.columns ?? []).flatMap((column, i) => (column.nulls > 0 ? [{ column, i }] : []));
  if (limited.length === 0 || rows === 0) return [];
  const counts = limited.map(({ i }) => `(count(*) - count(o${i}))::DOUBLE AS n${i}`);
  const [counted] = await database.rows(`SELECT ${counts.join(', ')} FROM ${from}`);
  return limited.map(({ column, i }) => verdictOf(column, Number(counted![`n${i}`]), rows));
}

function verdictOf({ name, nulls: threshold }: OtherColumnSpec, missing: number, rows: number): CheckVerdict {
  const interval = clopperPearson(missing, rows, CONFIDENCE);
  const estimate = missing / rows;
  const status = statusOf(interval, threshold, 'below');
  const range = `${figure(interval[0])} to ${figure(interval[1])}`;
  return {
    check: 'null-share',
    column: name,
    metric: 'share of rows without a value',
    estimate,
    interval: [...interval],
    rows,
    threshold,
    status,
    reason: `${missing} of ${rows} rows have no ${name}: ${figure(estimate)}, ${range}; at most ${threshold} may.`,
  };
}
