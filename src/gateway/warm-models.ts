import { TransientError } from '../core/errors/index.js';
import type { Feeds, OnnxSession, Results } from '../core/onnx/index.js';
import type { Digest } from '../core/spec/index.js';
import { modelRunner, type RunModel, type RunnerLimits } from './model-runner.js';

/** A hold on a loaded model: it stays loaded until every hold is released and every run has ended. */
export interface ModelLease {
  /**
   * Runs the model; a run that has begun ends on this model, whatever is released meanwhile.
   * @param client - who asks: each client gets its fair share of the model
   * @throws RefusedError `overloaded` when too many runs wait
   */
  readonly run: (feeds: Feeds, client: string) => Promise<Results>;
  /** Whether the session itself failed (its thread died): a new lease opens a new one. */
  readonly broken: () => boolean;
  readonly release: () => void;
}

/** The loaded models of this process, shared by digest between endpoints and between revisions of one endpoint. */
export interface WarmModels {
  /** Finds a loaded model, or opens it; callers who come while it is opening share it. */
  readonly acquire: (model: Digest, open: () => Promise<OnnxSession>) => Promise<ModelLease>;
  /** Resolves when every session that was let go is closed. */
  readonly settled: () => Promise<void>;
}

interface Entry {
  readonly session: Promise<OnnxSession>;
  readonly run: Promise<RunModel>;
  /** Leases and runs: the session closes when nobody is left. */
  holds: number;
  broken: boolean;
}

/**
 * @param limits - of each model
 * @param closeFailed - told when a session did not close; nobody else waits for it
 */
export function warmModels(limits: RunnerLimits, closeFailed: (error: unknown) => void): WarmModels {
  const entries = new Map<Digest, Entry>();
  const closing = new Set<Promise<void>>();

  const letGo = (model: Digest, entry: Entry): void => {
    entry.holds -= 1;
    if (entry.holds > 0) return;
    forget(model, entry);
    const closed: Promise<void> = entry.session
      .then(
        (session) => session.close(),
        () => undefined,
      )
      .catch(closeFailed)
      .finally(() => closing.delete(closed));
    closing.add(closed);
  };

  const entryOf = (session: Promise<OnnxSession>): Entry => {
    const run = session.then((opened) => modelRunner(opened, limits, () => performance.now()));
    // Whoever waits for the session is told.
    run.catch(() => undefined);
    return { session, run, holds: 0, broken: false };
  };

  const forget = (model: Digest, entry: Entry): void => {
    if (entries.get(model) === entry) entries.delete(model);
  };

  const lease = (model: Digest, entry: Entry): ModelLease => {
    let released = false;
    return {
      async run(feeds, client) {
        entry.holds += 1;
        try {
          return await (await entry.run)(feeds, client);
        } catch (error) {
          if (error instanceof TransientError) {
            entry.broken = true;
            forget(model, entry);
          }
          throw error;
        } finally {
          letGo(model, entry);
        }
      },
      broken: () => entry.broken,
      release() {
        if (released) return;
        released = true;
        letGo(model, entry);
      },
    };
  };

  return {
    async acquire(model, open) {
      const entry = entries.get(model) ?? entryOf(open());
      entries.set(model, entry);
      entry.holds += 1;
      try {
        await entry.session;
      } catch (error) {
        letGo(model, entry);
        throw error;
      }
      return lease(model, entry);
    },
    async settled() {
      await Promise.all(closing);
    },
  };
}
