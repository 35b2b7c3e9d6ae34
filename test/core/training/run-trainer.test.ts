import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { RefusedError, TransientError } from '../../../src/core/errors/index.js';
import { readLines } from '../../../src/core/training/event-lines.js';
import { runTrainer, type TrainerEvent } from '../../../src/core/training/index.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'run-trainer-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const output = () => path.join(folder, 'output');
const runShell = (
  script: string,
  more: { signal?: AbortSignal; onEvent?: (event: TrainerEvent) => void; timeoutMs?: number } = {},
) =>
  runTrainer({
    command: ['/bin/sh', '-c', script, 'trainer'],
    workingFolder: folder,
    snapshotFolder: folder,
    parameters: { b: 1, a: [true] },
    seed: 7,
    outputFolder: output(),
    onEvent: () => undefined,
    timeoutMs: 20_000,
    ...more,
  });
const writeOutput = 'printf model > "$8/model.onnx"; printf \'{"loss":0.5}\' > "$8/metrics.json"';
const failureOf = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: Error) => error,
  );
/** A process that has ended may still be listed, as a zombie that its adoptive parent has not buried yet. */
const isAlive = (pid: number) => {
  try {
    process.kill(pid, 0);
    return !existsSync(`/proc/${pid}/stat`) || !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
};
/** Waits for the end of a process that is not our child: SIGKILL is delivered, but not at once. */
async function gone(pid: number): Promise<boolean> {
  for (let tries = 0; tries < 500 && isAlive(pid); tries++) await sleep(10);
  return !isAlive(pid);
}
async function pidIn(file: string): Promise<number> {
  for (;;) {
    const text = await readFile(path.join(folder, file), 'utf8').catch(() => '');
    if (text.endsWith('\n')) return Number(text);
    await sleep(10);
  }
}

describe('a trainer program', () => {
  it('written in Python gets its arguments and hands back events in order, a model and metrics', async () => {
    await writeFile(
      path.join(folder, 'trainer.py'),
      `import argparse, json, pathlib
options = argparse.ArgumentParser()
for name in ('snapshot', 'parameters', 'seed', 'output', 'resume'): options.add_argument('--' + name)
given = options.parse_args()
out = pathlib.Path(given.output)
print(json.dumps({'event': 'progress', 'done': 1, 'total': 2, 'metrics': {'loss': 1.5}}), flush=True)
(out / 'half.bin').write_bytes(b'state')
print(json.dumps({'event': 'checkpoint', 'file': 'half.bin', 'done': 1}))
(out / 'model.onnx').write_text(given.seed + pathlib.Path(given.parameters).read_text() + pathlib.Path(given.resume).read_text())
(out / 'metrics.json').write_text('{"loss": 1}')
`,
    );
    await writeFile(path.join(folder, 'before.bin'), 'before');
    const events: TrainerEvent[] = [];
    await runTrainer({
      command: ['python3', 'trainer.py'],
      workingFolder: folder,
      snapshotFolder: folder,
      parameters: { b: 1, a: [true] },
      seed: 7,
      outputFolder: output(),
      resumeFrom: path.join(folder, 'before.bin'),
      onEvent: async (event) => {
        await sleep(1);
        events.push(event);
      },
      timeoutMs: 20_000,
    });
    expect(events).toEqual([
      { event: 'progress', done: 1, total: 2, metrics: { loss: 1.5 } },
      { event: 'checkpoint', file: path.join(output(), 'half.bin'), done: 1 },
    ]);
    expect(await readFile(path.join(output(), 'model.onnx'), 'utf8')).toBe('7{"a":[true],"b":1}before');
  });

  it("sees none of this process's secrets and one thread for every numeric library", async () => {
    process.env.ASSAY_PLANTED_SECRET = 'planted-value';
    try {
      await runShell(`${writeOutput}; env > "$8/environment"`);
    } finally {
      delete process.env.ASSAY_PLANTED_SECRET;
    }
    const environment = await readFile(path.join(output(), 'environment'), 'utf8');
    expect(environment).not.toContain('planted-value');
    expect(environment).toMatch(/^OMP_NUM_THREADS=1$/m);
    expect(environment).toMatch(/^PATH=/m);
    expect(environment).toMatch(/^CUDA_VISIBLE_DEVICES=$/m);
  });

  it.each([
    [64, 'its parameters'],
    [65, 'its data'],
  ])('that exits with %d refuses %s, with the last lines of its stderr', async (code, what) => {
    const error = await failureOf(
      runShell(`i=0; while [ $i -lt 3000 ]; do echo "line $i" >&2; i=$((i+1)); done; exit ${code}`),
    );
    expect(error).toBeInstanceOf(RefusedError);
    expect(error).toMatchObject({ code: 'training-refused', message: expect.stringContaining(what) });
    const { details } = error as RefusedError;
    expect(details.at(-1)).toBe('line 2999');
    expect(details.join('\n').length).toBeLessThanOrEqual(8192);
  });

  it.each([
    ['exits with another code', 'echo boom >&2; exit 3', /exit code 3(.|\n)*boom/],
    ['dies of a signal', 'kill -SEGV $$', /SIGSEGV/],
    ['is killed in the middle of a line', 'printf \'{"event":\'; kill -KILL $$', /SIGKILL/],
    ['prints what is not JSON', 'echo "epoch 1"', /"epoch 1": not JSON/],
    ['prints an event without its fields', 'echo \'{"event":"progress","done":1}\'', /total/],
    ['prints a number JSON cannot say', 'echo \'{"event":"progress","done":1,"total":NaN}\'', /not JSON/],
    ['prints what is not UTF-8', "printf '\\377\\n'", /not UTF-8/],
    ['never ends its line', 'while :; do printf xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done', /line over/],
    [
      'announces a checkpoint that is not there',
      'echo \'{"event":"checkpoint","file":"no","done":1}\'',
      /no/,
    ],
  ])('that %s is a fault to try again', async (_case, script, message) => {
    const error = await failureOf(runShell(script));
    expect(error).toBeInstanceOf(TransientError);
    expect(error?.message).toMatch(message);
  });

  it('that crashes by itself, but not one that is killed, is a fault worth a few tries only', async () => {
    expect(await failureOf(runShell('exit 1'))).toMatchObject({ giveUp: { code: 'training-refused' } });
    expect(await failureOf(runShell('echo garbage'))).toMatchObject({ giveUp: { code: 'training-refused' } });
    expect(await failureOf(runShell('kill -KILL $$'))).toMatchObject({ giveUp: undefined });
  });

  it.each([
    ['without a model', 'true', /model\.onnx, got nothing/],
    ['with an empty model', ': > "$8/model.onnx"', /an empty file/],
    ['with a link for a model', 'ln -s /etc/hosts "$8/model.onnx"', /no regular file/],
    [
      'with metrics that are no numbers',
      `${writeOutput}; echo '{"loss":"low"}' > "$8/metrics.json"`,
      /finite numbers/,
    ],
  ])('that exits 0 %s is refused', async (_case, script, message) => {
    const error = await failureOf(runShell(script));
    expect(error).toBeInstanceOf(RefusedError);
    expect(error?.message).toMatch(message);
  });

  it.each([
    ['a file of this machine', 'ln -s /etc/hosts "$8/state"'],
    ['a pipe that nobody writes to', 'mkfifo "$8/state"'],
  ])('may not pass off %s as its checkpoint', async (_case, make) => {
    await mkdir(output());
    const script = `${make}; echo '{"event":"checkpoint","file":"state","done":1}'`;
    expect(await failureOf(runShell(script))).toMatchObject({
      code: 'training-refused',
      message: expect.stringContaining('inside the output folder'),
    });
  });

  it('that does not exist is refused by name', async () => {
    const run = runTrainer({
      command: ['no-such-trainer'],
      workingFolder: folder,
      snapshotFolder: folder,
      parameters: {},
      seed: 0,
      outputFolder: output(),
      onEvent: () => undefined,
      timeoutMs: 1000,
    });
    expect(await failureOf(run)).toMatchObject({
      code: 'training-refused',
      message: expect.stringContaining('no-such-trainer: ENOENT'),
    });
  });

  it('that is a folder is refused by name', async () => {
    const run = runTrainer({
      command: [folder],
      workingFolder: folder,
      snapshotFolder: folder,
      parameters: {},
      seed: 0,
      outputFolder: output(),
      onEvent: () => undefined,
      timeoutMs: 1000,
    });
    expect(await failureOf(run)).toMatchObject({
      code: 'training-refused',
      message: expect.stringContaining(`${folder}: EACCES`),
    });
  });

  it('over its time is refused and gone', async () => {
    const error = await failureOf(runShell('echo $$ > pid; exec sleep 100', { timeoutMs: 300 }));
    expect(error).toMatchObject({ code: 'training-refused', message: expect.stringContaining('timeout') });
    expect(isAlive(await pidIn('pid'))).toBe(false);
  });

  it('is stopped by an abort with all its children, even when it ignores SIGTERM', async () => {
    const abort = new AbortController();
    const run = failureOf(
      runShell(
        'trap "" TERM; sh -c \'trap "" TERM; echo $$ > child; sleep 100\' & echo $$ > pid; wait; sleep 100',
        {
          signal: abort.signal,
        },
      ),
    );
    const pids = [await pidIn('pid'), await pidIn('child')];
    const reason = new Error('cancelled');
    abort.abort(reason);
    expect(await run).toBe(reason);
    expect(await Promise.all(pids.map(gone))).toEqual([true, true]);
  });

  it('is stopped when the caller cannot take its event', async () => {
    const run = runShell(`echo $$ > pid; echo '{"event":"progress","done":1,"total":2}'; exec sleep 100`, {
      onEvent: () => {
        throw new Error('store is full');
      },
    });
    expect(await failureOf(run)).toMatchObject({ message: 'store is full' });
    expect(isAlive(await pidIn('pid'))).toBe(false);
  });

  it('does not outlive a parent that was killed with SIGKILL', async () => {
    const trainer = path.resolve('dist/core/training/index.js');
    const options = {
      command: ['/bin/sh', '-c', 'echo $$ > pid; exec sleep 100'],
      workingFolder: folder,
      snapshotFolder: folder,
      parameters: {},
      seed: 0,
      outputFolder: output(),
      timeoutMs: 60_000,
    };
    const parent = spawn(process.execPath, [
      '-e',
      `require(${JSON.stringify(trainer)}).runTrainer({...${JSON.stringify(options)}, onEvent() {}})`,
    ]);
    const pid = await pidIn('pid');
    parent.kill('SIGKILL');
    await once(parent, 'exit');
    expect(await gone(pid)).toBe(true);
  });

  it('does not begin when its parent was killed before it could be watched', async () => {
    const trainerProcess = path.resolve('dist/core/training/trainer-process.js');
    // Dies, as kill -9 would have it, between the trainer's start and the word to the guard.
    const parent = spawn(process.execPath, [
      '-e',
      `const { Socket } = require('node:net');
      const write = Socket.prototype.write;
      Socket.prototype.write = function (...args) {
        if (/^[0-9]+\\n$/.test(String(args[0]))) process.kill(process.pid, 'SIGKILL');
        return write.apply(this, args);
      };
      require(${JSON.stringify(trainerProcess)}).superviseProgram(
        ['/bin/sh', '-c', 'echo begun > begun; exec sleep 100'], ${JSON.stringify(folder)}, {}, async () => {},
        new AbortController().signal)`,
    ]);
    expect(await once(parent, 'exit')).toEqual([null, 'SIGKILL']);
    await sleep(300);
    expect(existsSync(path.join(folder, 'begun'))).toBe(false);
  });
});

describe('reading lines', () => {
  it('gives the same lines however the bytes arrive', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ unit: 'binary' })),
        fc.infiniteStream(fc.nat(9)),
        async (texts, cuts) => {
          const bytes = Buffer.from(texts.join('\n'));
          async function* chunks() {
            for (let at = 0; at < bytes.length; ) {
              const size = cuts.next().value ?? 1;
              yield bytes.subarray(at, at + size);
              at += size;
            }
          }
          const lines: Uint8Array[] = [];
          const rest = await readLines(chunks(), async (line) => {
            lines.push(line);
          });
          expect(
            Buffer.from([...lines, rest].map((line) => Buffer.from(line).toString()).join('\n')),
          ).toEqual(bytes);
          expect(rest.includes(0x0a) || lines.some((line) => line.includes(0x0a))).toBe(false);
        },
      ),
      { numRuns: 50 },
    );
  });
});
