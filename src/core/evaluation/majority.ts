import { NO_CLASS, predictedClass } from '../attacks/index.js';
import type { Randomised } from '../spec/index.js';
import { proportionAtLeast } from '../statistics/index.js';
import type { GateSubject } from './gate.js';

/** What the served model says of one input. */
export interface ServedAnswer {
  /** The label where most answers are it; else the class that the most others are. */
  readonly predicted: number;
  /** How many answers were not the label. */
  readonly wrong: number;
}

/**
 * Asks the served model about one input, alone: once, or of a randomised model so often that most answers can be told.
 *
 * @param answers - odd
 */
export async function askServed(
  { classes, serve, signal }: Pick<GateSubject, 'classes' | 'serve' | 'signal'>,
  bytes: Uint8Array,
  label: number,
  answers = 1,
): Promise<ServedAnswer> {
  const counts = new Map<number, number>();
  for (let answer = 0; answer < answers; answer++) {
    signal?.throwIfAborted();
    const predicted = predictedClass(await serve(bytes), classes);
    counts.set(predicted, (counts.get(predicted) ?? 0) + 1);
  }
  const right = counts.get(label) ?? 0;
  if (2 * right > answers) return { predicted: label, wrong: answers - right };
  const [[predicted] = [NO_CLASS]] = [...counts]
    .filter(([name]) => name !== label)
    .sort(([one, often], [other, oftener]) => oftener - often || one - other);
  return { predicted, wrong: answers - right };
}

/** What an attack says it did to a sample, and what the served model says. */
interface Outcome {
  readonly claimed: boolean;
  readonly broken: boolean;
  /** Answers that were wrong, where there were several. */
  readonly wrong?: number | undefined;
}

/** How sure an answer of a randomised model must be where chance would raise a false alarm. */
const LEVEL = 0.05;

/**
 * Whether an attack broke a sample beyond doubt. A randomised model that is wrong in nearly half of its answers is wrong in
 * most of 21 now and then, by luck: no weaker attack can be said to have broken it where stronger ones did not.
 */
export function isSurelyBroken({ broken, wrong }: Outcome, randomised: Randomised | undefined): boolean {
  if (!randomised || wrong === undefined) return broken;
  return broken && proportionAtLeast(wrong, randomised.answers, LEVEL) > 0.5;
}

/** Whether answers contradict an attack that says it broke a sample; luck alone does not. */
export function isContradicted(
  { broken, claimed, wrong }: Outcome,
  randomised: Randomised | undefined,
): boolean {
  if (!claimed || broken) return false;
  if (!randomised || wrong === undefined) return true;
  return proportionAtLeast(randomised.answers - wrong, randomised.answers, LEVEL) > 0.5;
}
