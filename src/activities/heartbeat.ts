import { Context } from '@temporalio/activity';
import type { Digest } from '../core/spec/index.js';

/** What a running stage tells Temporal: how far it is, and from where another worker can go on. */
export interface Heartbeat {
  /** Work done, 0…1. */
  readonly fraction: number;
  /** One line for people. */
  readonly detail?: string;
  /** Blob of the newest checkpoint. */
  readonly checkpoint?: Digest;
}

/** Tells Temporal how far the stage is. A checkpoint stands until a newer one is reported. */
export type Report = (heartbeat: Heartbeat) => void;

/**
 * Keeps the heartbeat of a stage going while `work` runs, progress or not, so that only a dead worker misses it. It
 * begins with what the attempt before this one had last reported: a resume point outlives any number of attempts.
 *
 * @returns what `work` returns
 */
export async function withHeartbeat<T>(work: (report: Report) => Promise<T>): Promise<T> {
  const context = Context.current();
  let latest = lastHeartbeat() ?? { fraction: 0 };
  const beat = () => context.heartbeat(latest);
  beat();
  const timer = setInterval(beat, 1000);
  try {
    return await work((heartbeat) => {
      latest = { ...(latest.checkpoint && { checkpoint: latest.checkpoint }), ...heartbeat };
      beat();
    });
  } finally {
    clearInterval(timer);
  }
}

/** What the attempt before this one had last reported. */
export function lastHeartbeat(): Heartbeat | undefined {
  return Context.current().info.heartbeatDetails as Heartbeat | undefined;
}
