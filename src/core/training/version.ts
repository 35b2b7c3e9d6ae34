import type { TrainingSpec } from '../spec/index.js';

/** Name of the built-in trainer. Its number changes with every change of the bytes it makes from equal inputs. */
export const builtInTrainer = 'built-in/2';

/** How cards and records name a trainer. A program is named further by the tree of its files. */
export function trainerName(training: TrainingSpec): string {
  return training.trainer === 'built-in' ? builtInTrainer : 'program';
}
