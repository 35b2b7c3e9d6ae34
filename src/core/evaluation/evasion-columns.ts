import type { TableColumn } from '../data/index.js';
import { suiteOrder } from '../spec/index.js';
import type { EvasionRow } from './evasion-row.js';
import { sampleColumns } from './sample-columns.js';

/**
 * The evasion gate's rows as columns: four for each attack that was run (`pgd_claimed`, `pgd_broken`, `pgd_distance`,
 * `pgd_prediction`; of a randomised evaluation also `pgd_wrong`), null where it was spared a sample; then the controls.
 */
export function evasionColumns(rows: readonly EvasionRow[]): readonly TableColumn[] {
  const column = (
    name: string,
    type: TableColumn['type'],
    of: (row: EvasionRow) => number | boolean | null | undefined,
  ): TableColumn => ({ name, type, values: rows.map((row) => of(row) ?? null) });
  const run = suiteOrder.filter((attack) => rows.some(({ attacks }) => attacks?.[attack] !== undefined));
  const randomised = rows.some(({ answers }) => answers);
  return [
    ...sampleColumns(rows),
    ...run.flatMap((attack) => {
      const name = attack.replaceAll('-', '_');
      return [
        column(`${name}_claimed`, 'BOOLEAN', ({ attacks }) => attacks?.[attack]?.claimed),
        column(`${name}_broken`, 'BOOLEAN', ({ attacks }) => attacks?.[attack]?.broken),
        column(`${name}_distance`, 'DOUBLE', ({ attacks }) => attacks?.[attack]?.distance),
        column(`${name}_prediction`, 'INTEGER', ({ attacks }) => attacks?.[attack]?.prediction),
        ...(rows.some(({ attacks }) => attacks?.[attack]?.nearest !== undefined)
          ? [column(`${name}_nearest`, 'DOUBLE', ({ attacks }) => attacks?.[attack]?.nearest)]
          : []),
        ...(rows.some(({ attacks }) => attacks?.[attack]?.heldOut !== undefined)
          ? [column(`${name}_held_out`, 'BOOLEAN', ({ attacks }) => attacks?.[attack]?.heldOut)]
          : []),
        ...(randomised
          ? [column(`${name}_wrong`, 'INTEGER', ({ attacks }) => attacks?.[attack]?.wrong)]
          : []),
      ];
    }),
    column('certified', 'BOOLEAN', ({ certified }) => certified),
    column('repeatable', 'BOOLEAN', ({ repeatable }) => repeatable),
    ...(randomised
      ? [
          column('answers_first', 'INTEGER', ({ answers }) => answers?.first),
          column('answers_again', 'INTEGER', ({ answers }) => answers?.again),
          column('answers_attacked', 'INTEGER', ({ answers }) => answers?.attacked),
        ]
      : []),
    column('unbounded', 'BOOLEAN', ({ unbounded }) => unbounded),
    column('longer', 'BOOLEAN', ({ longer }) => longer),
    column('rescaled', 'BOOLEAN', ({ rescaled }) => rescaled),
    column('late_rise', 'DOUBLE', ({ lateRise }) => lateRise),
    column('gradient_cosine', 'DOUBLE', ({ gradient }) => gradient?.cosine),
    column('gradient_ball_cosine', 'DOUBLE', ({ gradient }) => gradient?.ballCosine),
    column('gradient_unaccounted', 'DOUBLE', ({ gradient }) => gradient?.unaccounted),
    column('planted_built', 'BOOLEAN', ({ planted }) => planted?.built),
    column('planted_found', 'BOOLEAN', ({ planted }) => planted?.found),
    column('planted_found_at_random', 'BOOLEAN', ({ planted }) => planted?.foundAtRandom),
    column('logits_difference', 'DOUBLE', ({ logitsDifference }) => logitsDifference),
  ];
}
