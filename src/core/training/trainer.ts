import { z } from 'zod';
import type { GiveUp } from '../errors/index.js';

/**
 * The trainer contract. A trainer is a program, started as
 *
 *     command… --snapshot DIR --parameters FILE --seed N --output DIR [--resume FILE]
 *
 * It reads the snapshot folder (`snapshot.json` and one Parquet file a split), trains, and writes `model.onnx` and
 * `metrics.json` (an object of numbers) into the output folder. Each line it prints on stdout is one JSON event of
 * this schema; what it prints on stderr is kept for error messages. Equal arguments must give equal bytes, with or
 * without `--resume`. Exit codes: 0 done; 64 parameters refused; 65 data refused; anything else is a fault and
 * is tried again. SIGTERM asks it to stop within a second.
 */
export const trainerEventSchema = z.discriminatedUnion('event', [
  z.strictObject({
    event: z.literal('progress'),
    /** Steps done and to do. */
    done: z.number().min(0),
    total: z.number().min(1),
    /** Current figures, such as loss and validation accuracy. */
    metrics: z.record(z.string(), z.number()).default({}),
  }),
  z.strictObject({
    event: z.literal('checkpoint'),
    /** A file in the output folder from which `--resume` continues, written whole before it is announced. */
    file: z.string(),
    done: z.number().min(0),
  }),
]);

export type TrainerEvent = z.infer<typeof trainerEventSchema>;

/** A trainer that crashes or breaks the contract this often will not stop doing so. */
export const trainerGiveUp: GiveUp = { attempts: 5, code: 'training-refused' };

export const trainerExit = { done: 0, parametersRefused: 64, dataRefused: 65 } as const;
