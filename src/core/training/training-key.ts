import type { Digest, TrainingSpec } from '../spec/index.js';
import { digestOfJson } from '../store/index.js';
import { trainerName } from './version.js';

/** What determines the model that comes out of a training. */
export interface TrainingInputs {
  /** Name of the model. */
  readonly name: string;
  /** Tree of the snapshot. */
  readonly snapshot: Digest;
  readonly training: TrainingSpec;
  /** Tree of the files of a trainer that is a program, or of the model that is fine-tuned. */
  readonly program?: Digest;
}

/**
 * The digest of all inputs that determine a model folder's bytes. How long training may take, on which hardware it runs
 * and whether it is repeated are no part of it.
 */
export function trainingKey({ name, snapshot, training, program }: TrainingInputs): Digest {
  return digestOfJson({
    name,
    snapshot,
    trainer: trainerName(training),
    ...(training.trainer === 'program' && { command: training.command }),
    parameters: training.parameters,
    seed: training.seed,
    program: program ?? null,
    ...(training.smoothing && { smoothing: training.smoothing }),
  });
}
