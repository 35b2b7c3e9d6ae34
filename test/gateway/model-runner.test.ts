import fc from 'fast-check';
import { RefusedError, TransientError } from '../../src/core/errors/index.js';
import type { Feeds, OnnxSession, Results } from '../../src/core/onnx/index.js';
import { modelRunner } from '../../src/gateway/model-runner.js';

/** What a run is asked that it cannot do, and what ends its thread. */
const [broken, fatal] = [-1, -2];

/** A model that doubles, in order, each run let through by the test; it keeps what it was given at once. */
function doubling() {
  const runs: number[][] = [];
  const waiting: (() => void)[] = [];
  const session: OnnxSession = {
    inputNames: ['x'],
    inputs: [],
    outputNames: ['y'],
    async run({ x }): Promise<Results> {
      const values = [...(x!.data as Float32Array)];
      await new Promise<void>((resolve) => void waiting.push(resolve));
      runs.push(values);
      if (values.includes(fatal)) throw new TransientError('the thread died');
      if (values.includes(broken)) throw new RefusedError('prediction-undefined', 'no');
      return { y: { type: 'float', dims: x!.dims, data: Float32Array.from(values, (value) => 2 * value) } };
    },
    async close() {},
  };
  const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
  return {
    session,
    runs,
    async finish() {
      for (await turn(); waiting.length > 0; await turn()) waiting.shift()!();
    },
  };
}

const feedsOf = (values: readonly number[]): Feeds => ({
  x: { type: 'float', dims: [values.length, 1], data: Float32Array.from(values) },
});
const outcome = (answer: Promise<Results>) =>
  answer.then(
    ({ y }) => [...(y!.data as Float32Array)],
    (error: { readonly code?: string; readonly name: string }) => error.code ?? error.name,
  );
const limits = { waiting: 100, waitMs: 1_000, batch: 4 };

describe('the runs of a model', () => {
  it('give each request its own rows, in batches of at most so many samples, and one failure costs nobody else', async () => {
    const values = fc.array(fc.integer({ min: broken, max: 9 }), { minLength: 1, maxLength: 6 });
    const requests = fc.array(fc.record({ client: fc.constantFrom('a', 'b', 'c'), values }), {
      maxLength: 20,
    });
    await fc.assert(
      fc.asyncProperty(requests, fc.integer({ min: 1, max: 8 }), async (asked, batch) => {
        const model = doubling();
        const run = modelRunner(model.session, { ...limits, batch }, () => 0);
        const answers = asked.map((request) => outcome(run(feedsOf(request.values), request.client)));
        await model.finish();
        expect(await Promise.all(answers)).toEqual(
          asked.map((request) =>
            request.values.includes(broken)
              ? 'prediction-undefined'
              : request.values.map((value) => 2 * value),
          ),
        );
        const single = new Set(asked.map((request) => request.values.length));
        for (const { length } of model.runs) expect(length <= batch || single.has(length)).toBe(true);
      }),
    );
  });

  it('begin at once, and gather what arrives meanwhile', async () => {
    const model = doubling();
    const run = modelRunner(model.session, limits, () => 0);
    const answers = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((value) => outcome(run(feedsOf([value]), 'a')));
    await model.finish();
    expect(await Promise.all(answers)).toEqual([2, 4, 6, 8, 10, 12, 14, 16, 18].map((value) => [value]));
    expect(model.runs).toEqual([[1], [2], [3], [4], [5, 6, 7, 8], [9]]);
  });

  it('let a client who asks little in before one who floods', async () => {
    const model = doubling();
    const run = modelRunner(model.session, { ...limits, batch: 1 }, () => 0);
    const flood = [1, 2, 3, 4, 5, 6, 7, 8].map((value) => outcome(run(feedsOf([value]), 'greedy')));
    const modest = outcome(run(feedsOf([9]), 'modest'));
    await model.finish();
    await Promise.all([...flood, modest]);
    expect(model.runs.indexOf(model.runs.find(([value]) => value === 9)!)).toBeLessThan(6);
  });

  it('refuse what waited too long, and what finds the queue full', async () => {
    const model = doubling();
    let now = 0;
    const run = modelRunner(model.session, { ...limits, waiting: 2 }, () => now);
    const answers = [1, 2, 3, 4, 5, 6, 7].map((value) => outcome(run(feedsOf([value]), 'a')));
    now = limits.waitMs + 1;
    await model.finish();
    const late = Array(3).fill('overloaded');
    expect(await Promise.all(answers)).toEqual([[2], [4], [6], [8], ...late]);
    expect(await Promise.all([outcome(run(feedsOf([5]), 'a')), model.finish()])).toEqual([[10], undefined]);
  });

  it('fail together when the session is gone', async () => {
    const model = doubling();
    const run = modelRunner(model.session, limits, () => 0);
    const answers = [1, 2, 3, 4, 5, fatal].map((value) => outcome(run(feedsOf([value]), 'a')));
    await model.finish();
    expect(await Promise.all(answers)).toEqual([[2], [4], [6], [8], 'TransientError', 'TransientError']);
  });
});
