import { type EvasionRow, isRobust, survivesSuite } from './evasion-row.js';
import { type Proportion, proportion } from './judgement.js';

/** What one attack of the suite did. */
export interface AttackFigures {
  readonly attack: string;
  /** Samples that it was given. */
  readonly attacked: number;
  /** Of these, the ones that the serving session confirmed broken. */
  readonly broken: number;
  /** Share of all samples that are right as they are and withstood it and every attack before it. */
  readonly robust: Proportion;
}

/**
 * The suite, attack by attack, in the order in which rows name them: the order in which they were run. What controls broke
 * beyond it comes last.
 */
export function attackFigures(rows: readonly EvasionRow[], confidence: number): readonly AttackFigures[] {
  const names = [...new Set(rows.flatMap(({ attacks }) => Object.keys(attacks ?? {})))];
  const outcomeOf = (row: EvasionRow, name: string) =>
    Object.entries(row.attacks ?? {}).find(([key]) => key === name)?.[1];
  const share = (holds: (row: EvasionRow) => boolean): Proportion =>
    proportion(rows.filter(holds).length, rows.length, confidence);
  const figures = names.map((attack, position): AttackFigures => {
    const outcomes = rows.flatMap((row) => outcomeOf(row, attack) ?? []);
    const sofar = names.slice(0, position + 1);
    return {
      attack,
      attacked: outcomes.length,
      broken: outcomes.filter(({ broken }) => broken).length,
      robust: share((row) => row.correct && !sofar.some((name) => outcomeOf(row, name)?.broken)),
    };
  });
  const survivors = rows.filter(survivesSuite);
  const broken = survivors.filter((row) => !isRobust(row)).length;
  if (broken === 0) return figures;
  return [...figures, { attack: 'controls', attacked: survivors.length, broken, robust: share(isRobust) }];
}
