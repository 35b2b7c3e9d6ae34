import type { CheckVerdict, DataCheckOf } from '../../spec/index.js';
import { clopperPearson } from '../../statistics/index.js';
import { type CheckedTable, figure, statusOf, type WholeCheck } from './check.js';

/** Whether every class has its share of rows; the intervals hold for all classes at once (Bonferroni). */
export const classBalance: WholeCheck<DataCheckOf<'class-balance'>> = {
  check: 'class-balance',
  async judge({ database, data, from, rows }: CheckedTable, { minimumShare, confidence }) {
    const counted = await database.rows(
      `SELECT class, count(*)::DOUBLE AS rows FROM ${from} WHERE class IS NOT NULL GROUP BY ALL`,
    );
    const byClass = new Map(counted.map((row) => [Number(row.class), Number(row.rows)]));
    const { classes, column } = data.label;
    const each = 1 - (1 - confidence) / classes.length;
    const judged = classes.map((name, index) => {
      const count = byClass.get(index) ?? 0;
      const interval = clopperPearson(count, rows, each);
      return { name, count, interval, status: statusOf(interval, minimumShare, 'above') };
    });
    const worst = judged.reduce((least, one) => (one.count < least.count ? one : least));
    const status = (['fail', 'inconclusive', 'pass'] as const).find((one) =>
      judged.some((verdict) => verdict.status === one),
    )!;
    const short = judged
      .filter((one) => one.status !== 'pass')
      .map(({ name, count }) => `${name} (${count} rows)`);
    const verdict: CheckVerdict = {
      check: 'class-balance',
      column,
      metric: 'share of the smallest class',
      estimate: rows === 0 ? 0 : worst.count / rows,
      interval: [...worst.interval],
      rows,
      threshold: minimumShare,
      status,
      reason:
        short.length === 0
          ? `Each class has a share of ${minimumShare} or more.`
          : `Expected a share of at least ${figure(minimumShare)} of each class: ${status} of ${short.join(', ')}.`,
    };
    return [verdict];
  },
};
