import type { DataCheckOf } from '../../spec/index.js';
import { figure, type WholeCheck } from './check.js';

/** Whether the newest row is new enough; one from the future is no sign of freshness, but of a wrong clock. */
export const freshness: WholeCheck<DataCheckOf<'freshness'>> = {
  check: 'freshness',
  async judge({ database, data, from, rows, asOf }, { column, maximumAgeHours }) {
    if (!asOf) throw new TypeError('expected to be told when the run began');
    const index = (data.columns ?? []).findIndex(({ name }) => name === column);
    const [found] = await database.rows(`SELECT epoch_us(max(o${index}))::DOUBLE AS newest FROM ${from}`);
    const newest = found?.newest === null ? undefined : Number(found?.newest) / 3.6e9;
    const age = newest === undefined ? 0 : asOf.getTime() / 3.6e6 - newest;
    const future = age < -1;
    const status = newest === undefined ? 'inconclusive' : future || age > maximumAgeHours ? 'fail' : 'pass';
    const told =
      newest === undefined ? 'No row says when it is from' : `The newest row is ${figure(age)} hours old`;
    return [
      {
        check: 'freshness',
        column,
        metric: 'age of the newest row in hours',
        estimate: age,
        interval: [age, age],
        rows,
        threshold: maximumAgeHours,
        status,
        reason: `${told}${future ? ', in the future' : ''}; it may be ${maximumAgeHours} hours old.`,
      },
    ];
  },
};
