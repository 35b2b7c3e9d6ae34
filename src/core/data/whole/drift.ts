import { RefusedError } from '../../errors/index.js';
import { type CheckVerdict, type DataCheckOf, driftMetrics } from '../../spec/index.js';
import {
  benjaminiHochberg,
  chiSquare,
  jensenShannon,
  kolmogorovSmirnov,
  populationStability,
  type Shift,
  type ShiftMeasure,
} from '../../statistics/index.js';
import { type DataColumn, dataColumns } from '../columns.js';
import { binsOf, countBins } from './bins.js';
import { type CheckedTable, figure, statusOf, type WholeCheck } from './check.js';

const measures: Readonly<Record<keyof typeof driftMetrics, ShiftMeasure>> = {
  psi: populationStability,
  ks: kolmogorovSmirnov,
  'chi-square': chiSquare,
  'jensen-shannon': jensenShannon,
};

/** Bins of a column that has more values than bins: the finer ones for distances between distribution functions. */
const bins = { psi: 10, ks: 100, 'chi-square': 10, 'jensen-shannon': 20 } as const;
const MOST_TOLD = 10;

/**
 * Whether columns are distributed as in the reference snapshot. Both tables are counted into the bins of the reference by the
 * database; the rest is arithmetic on counts. A column has drifted when its shift is beyond what is allowed, at a false discovery
 * rate over all columns (Benjamini–Hochberg); it has not when its whole interval is within; and else nobody can tell.
 */
export const drift: WholeCheck<DataCheckOf<'drift'>> = {
  check: 'drift',
  async judge(table, spec) {
    const { metric, confidence, falseDiscoveryRate } = spec;
    const threshold = spec.maximum ?? driftMetrics[metric].maximum;
    const columns = chosenColumns(table, spec.columns);
    const { reference, database, rows } = table;
    const binned = await binsOf(database, reference!.from, columns, bins[metric]);
    const [before, now] = [
      await countBins(database, reference!.from, reference!.rows, binned),
      await countBins(database, table.from, rows, binned),
    ];
    if (rows === 0 || reference!.rows === 0) return [emptyVerdict(threshold, metric)];
    const shifts = columns.map((column, i) => ({
      column: column.name,
      shift: measures[metric](before[i]!, now[i]!, confidence),
    }));
    const adjusted = benjaminiHochberg(shifts.map(({ shift }) => shift.pBeyond(threshold)));
    const judged = shifts.map(({ column, shift }, i) => ({
      column,
      shift,
      status:
        adjusted[i]! <= falseDiscoveryRate
          ? ('fail' as const)
          : statusOf(shift.interval, threshold, 'below') === 'pass'
            ? ('pass' as const)
            : ('inconclusive' as const),
    }));
    const order = ['fail', 'inconclusive', 'pass'];
    const sorted = [...judged].sort(
      (a, b) => order.indexOf(a.status) - order.indexOf(b.status) || b.shift.estimate - a.shift.estimate,
    );
    const worst = sorted[0]!;
    const off = sorted.filter(({ status }) => status !== 'pass');
    return [
      {
        check: 'drift',
        column: worst.column,
        metric: driftMetrics[metric].name,
        estimate: worst.shift.estimate,
        interval: [...worst.shift.interval],
        rows,
        threshold,
        status: worst.status,
        reason:
          off.length === 0
            ? `No column has drifted from the reference by more than ${threshold}.`
            : `${count(off, 'fail')} of ${columns.length} columns have drifted, ${count(off, 'inconclusive')} may have: ${off
                .slice(0, MOST_TOLD)
                .map(({ column, shift }) => `${column} ${describe(shift)}`)
                .join(', ')}${off.length > MOST_TOLD ? ', …' : ''}; expected at most ${threshold}.`,
      },
    ];
  },
};

function chosenColumns(
  { data, reference }: CheckedTable,
  named: readonly string[] | undefined,
): DataColumn[] {
  const columns = dataColumns(data).filter(({ name, kind }) =>
    named ? named.includes(name) : kind === 'label' || kind === 'feature' || kind === 'text',
  );
  for (const { name, kind } of columns) {
    if (kind === 'id') throw new RefusedError('spec-invalid', `data.checks: ids do not drift, got ${name}`);
    if (!reference!.columns.has(name))
      throw new RefusedError('spec-invalid', `data.reference: expected a snapshot with the column ${name}`);
  }
  return columns;
}

function emptyVerdict(threshold: number, metric: keyof typeof driftMetrics): CheckVerdict {
  const { name } = driftMetrics[metric];
  const reason = 'There are no rows to compare.';
  return {
    check: 'drift',
    metric: name,
    estimate: 0,
    interval: [0, 1],
    rows: 0,
    threshold,
    status: 'inconclusive',
    reason,
  };
}

const count = (judged: readonly { readonly status: string }[], status: string): number =>
  judged.filter((one) => one.status === status).length;

const describe = ({ estimate, interval: [low, high] }: Shift): string =>
  `${figure(estimate)} (${figure(low)} to ${figure(high)})`;
