import { type AttackOutcome, type EvasionRow, isRobust, survivesSuite } from './evasion-row.js';
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
  /** Of an attack that looks for the nearest misclassified inputs. */
  readonly nearest?: NearestFigures;
}

/** How far the nearest misclassified inputs lie that an attack met of the samples that it was given. */
export interface NearestFigures {
  /** In the norm of the gate; null where it met one of half of the samples or fewer. */
  readonly median: number | null;
  /** Samples of which it met one. */
  readonly found: number;
}

/** @returns undefined where the attack looks for no nearest inputs, or was given no sample */
export function nearestFigures(outcomes: readonly AttackOutcome[]): NearestFigures | undefined {
  const distances = outcomes
    .flatMap(({ nearest }) => (nearest === undefined ? [] : [nearest ?? Number.POSITIVE_INFINITY]))
    .sort((one, other) => one - other);
  if (distances.length === 0) return undefined;
  const middle = (distances.length - 1) / 2;
  const median = (distances[Math.floor(middle)]! + distances[Math.ceil(middle)]!) / 2;
  return {
    median: Number.isFinite(median) ? median : null,
    found: distances.filter(Number.isFinite).length,
  };
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
    const nearest = nearestFigures(outcomes);
    return {
      attack,
      attacked: outcomes.length,
      broken: outcomes.filter(({ broken }) => broken).length,
      robust: share((row) => row.correct && !sofar.some((name) => outcomeOf(row, name)?.broken)),
      ...(nearest && { nearest }),
    };
  });
  const survivors = rows.filter(survivesSuite);
  const broken = survivors.filter((row) => !isRobust(row)).length;
  if (broken === 0) return figures;
  return [...figures, { attack: 'controls', attacked: survivors.length, broken, robust: share(isRobust) }];
}
