import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { RefusedError, TransientError } from '../../../src/core/errors/index.js';
import {
  encodeModel,
  executionEnvironment,
  floatTensor,
  graphBuilder,
  int64Vector,
  openSession,
} from '../../../src/core/onnx/index.js';

const places = ['inline', 'thread'] as const;

/** y = x·W, with `rounds` more multiplications by a square matrix to take time. */
const product = (width: number, rounds = 0): Uint8Array => {
  const b = graphBuilder(17);
  b.input('x', 'float', ['N', width]);
  const values = Float32Array.from({ length: width * width }, (_, i) => ((i * 7919) % 101) / 101 / width);
  const w = b.constant(floatTensor([width, width], values), 'w');
  let [y] = b.op('MatMul', ['x', w]);
  for (let i = 0; i < rounds; i++) [y] = b.op('MatMul', [y, w]);
  b.output('y', 'float', ['N', width], y);
  return encodeModel(b.toModel());
};

const ramp = (n: number, width: number) =>
  floatTensor(
    [n, width],
    Array.from({ length: n * width }, (_, i) => i / 10),
  );

describe.each(places)('a session %s', (place) => {
  test('refuses wrong feeds, naming each, and goes on working', async () => {
    const session = await openSession(product(2), { place });
    const wrong = [
      [{}, /input x: expected a tensor, got none/],
      [{ x: int64Vector([1, 2]) }, /input x: expected float, got int64/],
      [{ x: floatTensor([1, 3], [1, 2, 3]) }, /input x: expected shape \[N, 2\], got \[1, 3\]/],
      [{ x: floatTensor([2], [1, 2]) }, /input x: expected shape \[N, 2\], got \[2\]/],
      [{ x: floatTensor([2, 2], [1, 2]) }, /input x: expected 4 elements for shape \[2,2\], got 2/],
      [{ x: ramp(1, 2), toString: ramp(1, 2) }, /input toString: the model has no such input, only x/],
    ] as const;
    for (const [feeds, expected] of wrong) {
      const refusal = await session.run(feeds).catch((error: unknown) => error);
      expect(refusal).toBeInstanceOf(RefusedError);
      expect(refusal).toMatchObject({ code: 'input-invalid', message: expect.stringMatching(expected) });
    }
    await expect(session.run({ x: ramp(3, 2) })).resolves.toMatchObject({
      y: { type: 'float', dims: [3, 2] },
    });
    await session.close();
  });

  test('refuses bytes that are no model, and keeps off the buffers of its caller', async () => {
    await expect(openSession(new Uint8Array(100), { place })).rejects.toMatchObject({
      code: 'model-unreadable',
    });
    const bytes = product(2);
    const session = await openSession(bytes, { place });
    const x = ramp(1, 2);
    await session.run({ x });
    await session.close();
    expect(bytes.length).toBeGreaterThan(0);
    expect(x.data).toHaveLength(2);
  });

  test('serves runs in the order of the calls', async () => {
    const session = await openSession(product(2), { place });
    const finished: number[] = [];
    const results = await Promise.all(
      [0, 1, 2, 3].map(async (i) => {
        const { y } = await session.run({ x: floatTensor([1, 2], [i, i]) });
        finished.push(i);
        return y?.data[0];
      }),
    );
    expect(finished).toEqual([0, 1, 2, 3]);
    expect(new Set(results).size).toBe(4);
    await session.close();
  });

  test('hands on what ONNX Runtime says when a run fails, and goes on working', async () => {
    const b = graphBuilder(17);
    b.input('shape', 'int64', ['R']);
    const [y] = b.op('Reshape', [b.constant(floatTensor([6], [1, 2, 3, 4, 5, 6]), 'six'), 'shape']);
    b.output('y', 'float', ['?'], y);
    const session = await openSession(encodeModel(b.toModel()), { place });
    await expect(session.run({ shape: int64Vector([4]) })).rejects.toThrow(/Reshape/);
    await expect(session.run({ shape: int64Vector([6]) })).resolves.toMatchObject({ y: { dims: [6] } });
    await session.close();
  });

  test('rejects what is pending when it closes', async () => {
    const session = await openSession(product(64, 50), { place });
    const pending = [1, 2].map(() => session.run({ x: ramp(256, 64) }).catch((error: unknown) => error));
    await session.close();
    for (const error of await Promise.all(pending)) expect(error).toBeInstanceOf(TransientError);
    await expect(session.run({ x: ramp(1, 64) })).rejects.toThrow('the session is closed');
    await session.close();
  });
});

test('a thread and this thread agree bit for bit', async () => {
  const results = await Promise.all(
    places.map(async (place) => {
      const session = await openSession(product(37, 3), { place });
      const { y } = await session.run({ x: ramp(29, 37) });
      await session.close();
      return y;
    }),
  );
  expect(results[0]).toEqual(results[1]);
});

test('the event loop turns while a thread computes', async () => {
  const session = await openSession(product(128, 200), { place: 'thread' });
  let turns = 0;
  const count = (): void => {
    turns += 1;
    turning = setImmediate(count);
  };
  let turning = setImmediate(count);
  await session.run({ x: ramp(512, 128) });
  clearImmediate(turning);
  await session.close();
  // Inline, a run takes the event loop for all of its time: one turn or two.
  expect(turns).toBeGreaterThan(10);
});

describe('in a process of its own', () => {
  /** Runs a script that finds `onnx`, the compiled room, and `bytes`, a model y = x·W of two inputs. */
  const output = (script: string): string => {
    const room = JSON.stringify(path.resolve(__dirname, '../../../dist/core/onnx/index.js'));
    const model = JSON.stringify(Buffer.from(product(2)).toString('base64'));
    const program = `
      const onnx = require(${room});
      const bytes = Buffer.from(${model}, 'base64');
      const x = onnx.floatTensor([1, 2], [1, 2]);
      (async () => { ${script} })();`;
    return execFileSync(process.execPath, ['-e', program], { encoding: 'utf8', timeout: 25_000 });
  };

  test('nothing keeps the process alive, with its sessions closed or left open', () => {
    const script = `
      const closed = await onnx.openSession(bytes, { place: 'thread' });
      const open = await onnx.openSession(bytes, { place: 'thread' });
      const { y } = await open.run({ x });
      await closed.close();
      process.stdout.write(String(y.dims));`;
    expect(output(script)).toBe('1,2');
  });

  test('a thread that dies rejects what is pending and what follows', () => {
    const script = `
      let thread;
      process.once('worker', (worker) => { thread = worker; });
      const session = await onnx.openSession(bytes, { place: 'thread' });
      thread.terminate();
      for (const run of [session.run({ x }), session.run({ x })]) {
        await run.catch((error) => console.log(error.name, error.message));
      }
      await session.close();`;
    expect(output(script)).toBe("TransientError the session's thread has ended\n".repeat(2));
  });
});

test('the environment names what results may depend on', () => {
  expect(executionEnvironment()).toMatchObject({
    runtimeVersion: expect.stringMatching(/^\d+\.\d+/),
    configuration: { intraOpNumThreads: 1, interOpNumThreads: 1, graphOptimizationLevel: 'all' },
    cpu: expect.stringMatching(/./),
  });
});
