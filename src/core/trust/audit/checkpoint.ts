import { RefusedError } from '../../errors/index.js';
import type { Hash } from './merkle.js';

/** How far a log had come (c2sp.org/tlog-checkpoint): the text of a signed note. */
export interface Checkpoint {
  /** Which log. */
  readonly origin: string;
  readonly size: number;
  readonly root: Hash;
}

export function formatCheckpoint({ origin, size, root }: Checkpoint): string {
  return `${origin}\n${size}\n${Buffer.from(root).toString('base64')}\n`;
}

/** @throws RefusedError `note-invalid`, also for lines beyond the three: nobody would look at them */
export function parseCheckpoint(text: string): Checkpoint {
  const [, origin, size, root] = /^([^\n]+)\n(0|[1-9]\d{0,15})\n([A-Za-z0-9+/]{43}=)\n$/.exec(text) ?? [];
  const hash = Buffer.from(root ?? '', 'base64');
  if (
    !origin ||
    hash.length !== 32 ||
    hash.toString('base64') !== root ||
    !Number.isSafeInteger(Number(size))
  ) {
    throw new RefusedError('note-invalid', 'expected the origin, size and root of a log, got something else');
  }
  return { origin, size: Number(size), root: hash };
}
