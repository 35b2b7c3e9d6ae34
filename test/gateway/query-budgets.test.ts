import fc from 'fast-check';
import type { RefVersion } from '../../src/core/store/index.js';
import { queryBudgets } from '../../src/gateway/query-budgets.js';

/** Refs in memory that move by compare-and-set, with others' moves in between. */
function refs() {
  const versions = new Map<string, RefVersion>();
  let nonce = 0;
  return {
    versions,
    async readRef(name: string) {
      await Promise.resolve();
      return versions.get(name);
    },
    async moveRef(name: string, from: RefVersion | undefined, value: unknown) {
      await Promise.resolve();
      if (versions.get(name)?.nonce !== from?.nonce) return undefined;
      const version = { sequence: (from?.sequence ?? 0) + 1, nonce: `${nonce++}`, value };
      versions.set(name, version);
      return version;
    },
  };
}

const noon = new Date('2026-11-25T12:00:00Z');

describe('a query budget', () => {
  it('is never exceeded by any number of gateways that are asked at once, killed or closed', async () => {
    const steps = fc.array(
      fc.record({
        gateway: fc.integer({ min: 0, max: 2 }),
        samples: fc.integer({ min: 1, max: 30 }),
        after: fc.constantFrom('go on', 'go on', 'go on', 'kill', 'close'),
      }),
      { maxLength: 40 },
    );
    await fc.assert(
      fc.asyncProperty(steps, fc.integer({ min: 1, max: 200 }), async (asked, limit) => {
        const store = refs();
        const open = () => queryBudgets(store, () => noon);
        const gateways = [open(), open(), open()];
        let spent = 0;
        const pending: Promise<void>[] = [];
        for (const { gateway, samples, after } of asked) {
          const budgets = gateways[gateway]!;
          pending.push(
            budgets.spend('digits', 'ada', { perDay: limit, total: 2 * limit }, samples).then(({ ok }) => {
              if (ok) spent += samples;
            }),
          );
          if (after === 'go on') continue;
          await Promise.all(pending);
          if (after === 'close') await budgets.close();
          gateways[gateway] = open();
        }
        await Promise.all(pending);
        expect(spent).toBeLessThanOrEqual(limit);
      }),
    );
  });

  it('can be spent to the last sample, across a restart', async () => {
    const store = refs();
    let budgets = queryBudgets(store, () => noon);
    let spent = 0;
    for (let asked = 0; asked < 120; asked++) {
      if (asked === 40) {
        await budgets.close();
        budgets = queryBudgets(store, () => noon);
      }
      if ((await budgets.spend('digits', 'ada', { total: 100 }, 1)).ok) spent++;
    }
    expect(spent).toBe(100);
  });

  it('begins anew the next day, and in total never', async () => {
    const store = refs();
    let now = noon;
    const budgets = queryBudgets(store, () => now);
    const spend = () => budgets.spend('digits', 'ada', { perDay: 5, total: 8 }, 5);
    expect(await spend()).toEqual({ ok: true });
    expect(await spend()).toEqual({ ok: false, window: 'a day', limit: 5, retryAfterMs: 12 * 3_600_000 });
    now = new Date('2026-11-26T00:00:00Z');
    expect(await spend()).toEqual({ ok: false, window: 'in total', limit: 8 });
    // What the day had granted for it was put back.
    expect(await budgets.spend('digits', 'ada', { perDay: 5 }, 5)).toEqual({ ok: true });
  });

  it('is each client’s and each endpoint’s own', async () => {
    const budgets = queryBudgets(refs(), () => noon);
    for (const [endpoint, client] of [
      ['digits', 'ada'],
      ['digits', 'bob'],
      ['phishing', 'ada'],
    ] as const) {
      expect(await budgets.spend(endpoint, client, { total: 1, perMinute: 1 }, 1)).toEqual({ ok: true });
    }
  });

  it('takes nothing on credit while the store is away, and goes on with what was granted', async () => {
    const store = refs();
    let away = false;
    const budgets = queryBudgets(
      {
        ...store,
        async readRef(name) {
          if (away) throw new Error('the store is away');
          return await store.readRef(name);
        },
      },
      () => noon,
    );
    const spend = () => budgets.spend('digits', 'ada', { total: 100 }, 1);
    await spend();
    away = true;
    for (let asked = 1; asked < 5; asked++) expect((await spend()).ok).toBe(true);
    await expect(spend()).rejects.toThrow('the store is away');
    away = false;
    expect((await spend()).ok).toBe(true);
  });
});
