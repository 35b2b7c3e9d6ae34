import fc from 'fast-check';
import type { OnnxSession } from '../../src/core/onnx/index.js';
import type { Digest } from '../../src/core/spec/index.js';
import { type ModelLease, warmModels } from '../../src/gateway/warm-models.js';

const digests = ['a', 'b'].map((letter) => `sha256:${letter.repeat(64)}` as Digest);

/** A session that knows whether it is open and who is running on it; what it computes does not matter here. */
interface Probe {
  readonly session: OnnxSession;
  readonly state: { open: boolean };
  readonly endRun: () => void;
}

function probe(): Probe {
  const state = { open: true };
  const ends: (() => void)[] = [];
  return {
    state,
    endRun: () => ends.shift()?.(),
    session: {
      inputNames: [],
      inputs: [],
      outputNames: [],
      run: () => new Promise((resolve) => ends.push(() => resolve({}))),
      async close() {
        state.open = false;
      },
    },
  };
}

const limits = { waiting: 1_000, waitMs: 60_000, batch: 1 };

describe('warm models', () => {
  it('are open exactly while somebody holds them or runs on them, and once only', async () => {
    const action = fc.record({
      what: fc.constantFrom('acquire', 'release', 'run', 'end'),
      model: fc.integer({ min: 0, max: 1 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 40 }), async (actions) => {
        const models = warmModels(limits, fail);
        const probes: Probe[][] = [[], []];
        const leases: ModelLease[][] = [[], []];
        const runs = [[], []] as Promise<unknown>[][];
        for (const { what, model } of actions) {
          const held = leases[model]!;
          const inFlight = runs[model]!;
          const current = probes[model]!.at(-1);
          if (what === 'acquire') {
            held.push(
              await models.acquire(digests[model]!, async () => {
                probes[model]!.push(probe());
                return probes[model]!.at(-1)!.session;
              }),
            );
          } else if (what === 'release') held.pop()?.release();
          else if (what === 'run' && held.length > 0) {
            inFlight.push(held[0]!.run({}, 'client'));
            // The session learns of a run one turn later.
            await Promise.resolve();
            await Promise.resolve();
          } else if (what === 'end' && inFlight.length > 0) {
            current!.endRun();
            await inFlight.shift();
          }
          await models.settled();
          for (const index of [0, 1]) {
            const open = probes[index]!.filter(({ state }) => state.open).length;
            expect(open).toBe(leases[index]!.length + runs[index]!.length > 0 ? 1 : 0);
          }
        }
      }),
    );
  });

  it('forget a model that did not open, for all who waited for it, and open it anew for the next', async () => {
    const models = warmModels(limits, fail);
    const broken = async (): Promise<OnnxSession> => {
      throw new Error('no');
    };
    const both = [models.acquire(digests[0]!, broken), models.acquire(digests[0]!, broken)];
    for (const lease of both) await expect(lease).rejects.toThrow('no');
    await expect(models.acquire(digests[0]!, async () => probe().session)).resolves.toBeDefined();
  });
});

function fail(error: unknown): never {
  throw error;
}
