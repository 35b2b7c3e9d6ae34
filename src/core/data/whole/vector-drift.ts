import { normalField } from '../../random/index.js';
import type { CheckVerdict, DataCheckOf } from '../../spec/index.js';
import { blockDiscrepancy } from '../../statistics/index.js';
import { dataColumns } from '../columns.js';
import { type CheckedTable, figure, statusOf, type WholeCheck } from './check.js';

/** Random features of the kernel; the error of an approximated kernel is about 1/√128. */
const FEATURES = 128;
/** Of each table; the spread between them says how sure the estimate is. */
const BLOCKS = 40;
/** Rows of a block that make its mean worth anything. */
const FEWEST_ROWS = 5;
const SEED = 0;

/**
 * Whether rows as a whole, and not only column by column, are distributed as in the reference: the maximum mean discrepancy with a
 * Gaussian kernel (Gretton et al., Journal of Machine Learning Research 13, 2012), through random Fourier features (Rahimi, Recht,
 * NeurIPS 2007), whose means the database takes. Columns are in units of their deviation in the reference, and the kernel is as wide
 * as rows are apart there.
 */
export const vectorDrift: WholeCheck<DataCheckOf<'vector-drift'>> = {
  check: 'vector-drift',
  async judge(table: CheckedTable, { maximum, confidence }) {
    const { database, data, reference, from } = table;
    const columns = dataColumns(data).filter(({ kind }) => kind === 'feature');
    const spreads = columns.flatMap(({ raw }) => [
      `avg(${raw}::DOUBLE) AS m_${raw}`,
      `stddev_pop(${raw}::DOUBLE) AS s_${raw}`,
    ]);
    const [spread] = await database.rows(`SELECT ${spreads.join(', ')} FROM ${reference!.from}`);
    const moving = columns.filter(({ raw }) => Number(spread![`s_${raw}`]) > 0);
    const features = Array.from({ length: FEATURES }, (_, k) => {
      const weights = new Float64Array(moving.length);
      normalField(SEED, 'random Fourier features', k).fill(weights, 0);
      const terms = moving.map(({ raw }, i) => {
        const weight = weights[i]! / (Number(spread![`s_${raw}`]) * Math.sqrt(moving.length));
        return `'${weight}'::DOUBLE * (${raw}::DOUBLE - '${Number(spread![`m_${raw}`])}'::DOUBLE)`;
      });
      const angle = terms.length > 0 ? terms.join(' + ') : '0';
      return [`avg(cos(${angle}))`, `avg(sin(${angle}))`];
    }).flat();
    const blocks = async (of: string) => {
      const rows = await database.rows(
        `SELECT md5_number_lower(id::VARCHAR) % ${BLOCKS} AS block, count(*)::DOUBLE AS n, [${features.join(', ')}] AS means ` +
          `FROM ${of} GROUP BY ALL ORDER BY ALL`,
      );
      return rows.map(({ n, means }) => ({
        rows: Number(n),
        means: Float64Array.from(means as readonly number[], (mean) => Number(mean) / Math.sqrt(FEATURES)),
      }));
    };
    const [before, now] = [await blocks(reference!.from), await blocks(from)];
    const enough = [before, now].every(
      (side) => side.length === BLOCKS && side.every(({ rows }) => rows >= FEWEST_ROWS),
    );
    const measured = enough
      ? blockDiscrepancy(
          before.map(({ means }) => means),
          now.map(({ means }) => means),
          confidence,
        )
      : { estimate: 0, interval: [0, Math.SQRT2] as const };
    const { estimate, interval } = measured;
    const verdict: CheckVerdict = {
      check: 'vector-drift',
      metric: 'maximum mean discrepancy',
      estimate,
      interval: [...interval],
      rows: table.rows,
      threshold: maximum,
      status: enough ? statusOf(interval, maximum, 'below') : 'inconclusive',
      reason: enough
        ? `Rows are ${figure(estimate)} (${figure(interval[0])} to ${figure(interval[1])}) from the reference; expected at most ${maximum}.`
        : `Expected some ${BLOCKS * FEWEST_ROWS * 2} rows in both snapshots to compare them, got fewer.`,
    };
    return [verdict];
  },
};
