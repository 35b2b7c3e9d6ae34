import { randomStream } from '../../random/index.js';
import type { SuspectData } from '../detector.js';
import type { Embedding } from '../embedding.js';

export interface PoisoningOptions {
  /** Keys every draw. */
  readonly seed: number;
  /** Share of the samples, or of the contributors, that are the attacker's, in (0, 1). */
  readonly share: number;
  /** The class that the attacker wants inputs to be taken for. */
  readonly target: number;
  /** What the attacker knows of the victim's network, where the attack needs that. */
  readonly embedding?: Embedding;
}

export interface Poisoned {
  readonly data: SuspectData;
  /** Ids of what the attacker made: samples or contributors. */
  readonly planted: ReadonlySet<string>;
}

/**
 * A poisoning attack: one file, one value of this interface, one row of the registry. It knows nothing of detectors. Draws
 * are named by seed, attack and sample id, so the order of samples changes nothing.
 */
export interface PoisoningAttack {
  readonly name: string;
  /** What it plants: `samples` or `contributors`. */
  readonly plants: 'samples' | 'contributors';
  /** Whether it can be tried on such data. */
  fits(data: SuspectData): boolean;
  poison(data: SuspectData, options: PoisoningOptions): Poisoned;
}

/** The samples that a draw gives to the attacker: a share of all, out of those that may be taken. */
export function drawVictims(
  data: SuspectData,
  { seed, share }: PoisoningOptions,
  attack: string,
  mayTake: (index: number) => boolean,
): readonly number[] {
  const draws = data.ids.map((id) => randomStream(seed, attack, 'victim', id).uint32());
  return [...data.ids.keys()]
    .filter(mayTake)
    .sort((one, other) => draws[one]! - draws[other]! || one - other)
    .slice(0, Math.max(1, Math.round(share * data.ids.length)));
}

export const isPicture = ({ shape, text }: SuspectData): boolean => shape.length === 3 && text === undefined;
