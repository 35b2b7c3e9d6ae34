import type { EvasionRow } from './evasion-row.js';
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

/** The suite, attack by attack, in the order in which rows name them: the order in which they were run. */
export function attackFigures(rows: readonly EvasionRow[], confidence: number): readonly AttackFigures[] {
  const names = [...new Set(rows.flatMap(({ attacks }) => Object.keys(attacks ?? {})))];
  return names.map((attack, position) => {
    const outcomeOf = (row: EvasionRow, name: string) =>
      Object.entries(row.attacks ?? {}).find(([key]) => key === name)?.[1];
    const outcomes = rows.flatMap((row) => outcomeOf(row, attack) ?? []);
    const sofar = names.slice(0, position + 1);
    const standing = rows.filter(
      (row) => row.correct && !sofar.some((name) => outcomeOf(row, name)?.broken),
    ).length;
    return {
      attack,
      attacked: outcomes.length,
      broken: outcomes.filter(({ broken }) => broken).length,
      robust: proportion(standing, rows.length, confidence),
    };
  });
}
