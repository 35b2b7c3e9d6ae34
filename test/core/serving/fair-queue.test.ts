import fc from 'fast-check';
import { fairQueue } from '../../../src/core/serving/index.js';

const drain = <Item>(queue: ReturnType<typeof fairQueue<Item>>): Item[] => {
  const items: Item[] = [];
  for (let item = queue.take(); item !== undefined; item = queue.take()) items.push(item);
  return items;
};

describe('a fair queue', () => {
  it('serves one client in order, and several in turns, however much each has waiting', () => {
    const queue = fairQueue<string>(100);
    for (let i = 0; i < 5; i++) queue.push('greedy', 1, `greedy ${i}`);
    queue.push('modest', 1, 'modest 0');
    queue.push('modest', 1, 'modest 1');
    expect(drain(queue)).toEqual([
      'greedy 0',
      'modest 0',
      'greedy 1',
      'modest 1',
      'greedy 2',
      'greedy 3',
      'greedy 4',
    ]);
  });

  it('counts what a request costs', () => {
    const queue = fairQueue<string>(100);
    for (let i = 0; i < 2; i++) queue.push('large', 4, `large ${i}`);
    for (let i = 0; i < 6; i++) queue.push('small', 1, `small ${i}`);
    expect(drain(queue).slice(0, 6)).toEqual([
      'large 0',
      'small 0',
      'small 1',
      'small 2',
      'small 3',
      'large 1',
    ]);
  });

  it('turns away the last of whoever has most waiting once it is full', () => {
    const queue = fairQueue<string>(3);
    for (let i = 0; i < 3; i++) expect(queue.push('greedy', 1, `greedy ${i}`)).toBeUndefined();
    expect(queue.push('greedy', 1, 'greedy 3')).toBe('greedy 3');
    expect(queue.push('modest', 1, 'modest 0')).toBe('greedy 2');
    expect(queue.push('modest', 1, 'modest 1')).toBe('modest 1');
    expect(drain(queue)).toEqual(['greedy 0', 'modest 0', 'greedy 1']);
  });

  const action = fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({ client: fc.constantFrom('a', 'b', 'c'), cost: fc.integer({ min: 1, max: 8 }) }),
    },
    { weight: 2, arbitrary: fc.constant(undefined) },
  );

  it('loses nothing, gives nothing twice, and keeps each client’s order', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 6 }),
        fc.array(action, { maxLength: 60 }),
        (capacity, actions) => {
          const queue = fairQueue<{ client: string; index: number }>(capacity);
          const [dropped, taken] = [new Set<number>(), [] as { client: string; index: number }[]];
          let pushed = 0;
          for (const each of actions) {
            if (each === undefined) {
              const item = queue.take();
              if (item) taken.push(item);
            } else {
              const out = queue.push(each.client, each.cost, { client: each.client, index: pushed++ });
              if (out) dropped.add(out.index);
            }
            expect(queue.size()).toBeLessThanOrEqual(capacity);
            expect(queue.size()).toBe(pushed - dropped.size - taken.length);
          }
          taken.push(...drain(queue));
          expect(new Set([...taken.map(({ index }) => index), ...dropped]).size).toBe(pushed);
          expect(taken.length + dropped.size).toBe(pushed);
          for (const client of ['a', 'b', 'c']) {
            const order = taken.filter((item) => item.client === client).map(({ index }) => index);
            expect(order).toEqual(order.toSorted((x, y) => x - y));
          }
        },
      ),
    );
  });

  it('gives clients who both always wait the same service, to within a request of each', () => {
    const costs = fc.array(fc.integer({ min: 1, max: 8 }), { minLength: 40, maxLength: 40 });
    fc.assert(
      fc.property(costs, costs, (a, b) => {
        const queue = fairQueue<{ client: 'a' | 'b'; cost: number }>(1000);
        for (const [client, list] of [['a', a] as const, ['b', b] as const])
          for (const cost of list) queue.push(client, cost, { client, cost });
        const served = { a: 0, b: 0 };
        const left = { a: 40, b: 40 };
        while (left.a > 0 && left.b > 0) {
          const { client, cost } = queue.take()!;
          served[client] += cost;
          left[client] -= 1;
          if (left.a > 0 && left.b > 0) expect(Math.abs(served.a - served.b)).toBeLessThanOrEqual(16);
        }
      }),
    );
  });
});
