import type { CheckVerdict } from '../../spec/index.js';
import type { CheckedTable, WholeCheck } from './check.js';
import { classBalance } from './class-balance.js';
import { drift } from './drift.js';
import { freshness } from './freshness.js';
import { nullShares } from './null-share.js';
import { vectorDrift } from './vector-drift.js';

/** Every check of the data as a whole. Checks of rows are in `check.ts`. */
const wholeChecks: readonly WholeCheck<never>[] = [freshness, classBalance, drift, vectorDrift];

/** What all checks of the data as a whole find, in the order of the data block. */
export async function judgeWhole(table: CheckedTable): Promise<readonly CheckVerdict[]> {
  const verdicts = [...(await nullShares(table))];
  for (const spec of table.data.checks ?? []) {
    const found = wholeChecks.find(({ check }) => check === spec.check);
    if (found) verdicts.push(...(await found.judge(table, spec as never)));
  }
  return verdicts;
}
