import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { builtInParametersSchema } from '../../../../src/core/spec/index.js';
import { digestOf } from '../../../../src/core/store/index.js';
import { trainBuiltIn } from '../../../../src/core/training/built-in/train-built-in.js';
import {
  builtInCommand,
  type TrainerEvent,
  trainerEventSchema,
} from '../../../../src/core/training/index.js';
import { digitsSnapshot } from '../snapshots.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'built-in-'));
  const { store, snapshot } = await digitsSnapshot(folder, 500);
  await store.fetchTree(snapshot, path.join(folder, 'snapshot'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** 350 samples are 6 steps an epoch, the last of 30 samples. */
const stepsPerEpoch = 6;
const parameters = {
  network: { kind: 'cnn', channels: [8], pool: [true] },
  epochs: 20,
  adversarial: { method: 'pgd', norm: 'linf', epsilon: 0.1, steps: 2 },
  checkpointEverySeconds: 0.001,
};

interface Outcome {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stderr: string;
  readonly events: readonly TrainerEvent[];
}

/** Runs the program itself. @param killAt - whether to SIGKILL it at an event */
async function runProgram(
  output: string,
  more: readonly string[],
  killAt: (event: TrainerEvent) => boolean = () => false,
  json: unknown = parameters,
): Promise<Outcome> {
  await mkdir(path.join(folder, output), { recursive: true });
  const parametersFile = path.join(folder, `${output}.json`);
  await writeFile(parametersFile, JSON.stringify(json));
  const [program, ...args] = builtInCommand();
  const given = ['--snapshot', path.join(folder, 'snapshot'), '--parameters', parametersFile, '--seed', '3'];
  const child = spawn(program!, [...args, ...given, '--output', path.join(folder, output), ...more]);
  const events: TrainerEvent[] = [];
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  createInterface(child.stdout).on('line', (line) => {
    const event = trainerEventSchema.parse(JSON.parse(line));
    events.push(event);
    if (killAt(event)) child.kill('SIGKILL');
  });
  return new Promise((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal, stderr, events }));
  });
}
const digests = async (output: string) =>
  Promise.all(
    ['model.onnx', 'metrics.json'].map(async (name) =>
      digestOf(await readFile(path.join(folder, output, name))),
    ),
  );

describe('the built-in trainer, as a program', () => {
  it('killed with SIGKILL in the middle of epochs goes on from its last checkpoint to the same bytes', async () => {
    expect((await runProgram('undisturbed', [])).code).toBe(0);
    const checkpoint = ['--resume', path.join(folder, 'killed', 'checkpoint.bin')];
    const midEpochAfter = (step: number) => (event: TrainerEvent) =>
      event.event === 'checkpoint' && event.done > step && event.done % stepsPerEpoch !== 0;
    for (const step of [20, 60]) {
      const killed = await runProgram('killed', step === 20 ? [] : checkpoint, midEpochAfter(step));
      expect(killed.signal).toBe('SIGKILL');
      if (step > 20) expect(killed.events[0]?.done).toBeGreaterThan(20);
    }
    const resumed = await runProgram('killed', checkpoint);
    expect(resumed.code).toBe(0);
    expect(resumed.events[0]?.done).toBeGreaterThan(60);
    expect(await digests('killed')).toEqual(await digests('undisturbed'));
  });

  it('starts over, and says so, when the checkpoint is damaged or of another training', async () => {
    const short = { network: { kind: 'linear' }, epochs: 2 };
    await runProgram('short', [], undefined, short);
    const garbage = path.join(folder, 'garbage.bin');
    await writeFile(garbage, 'ASSAYCKP and nothing more');
    const run = await runProgram('restarted', ['--resume', garbage], undefined, short);
    expect(run).toMatchObject({ code: 0, stderr: expect.stringMatching(/from the beginning.*damaged/) });
    expect(await digests('restarted')).toEqual(await digests('short'));
  });

  it('refuses parameters with one line that names each wrong field', async () => {
    const wrong = { network: { kind: 'mlp', hidden: [] }, epochs: 0, momentum: 0.9 };
    const { code, stderr } = await runProgram('refused', [], undefined, wrong);
    expect(code).toBe(64);
    for (const field of ['parameters.network.hidden', 'parameters.epochs', 'momentum'])
      expect(stderr).toContain(field);
  });

  it('refuses a snapshot that it cannot read as a matter of data', async () => {
    const empty = path.join(folder, 'empty');
    await mkdir(empty);
    expect(await runProgram('no-data', ['--snapshot', empty])).toMatchObject({
      code: 65,
      stderr: expect.stringContaining('snapshot'),
    });
  });

  it('reports and saves by the clock, which is in none of its results', async () => {
    const outputs = [0, 1000].map((tick) => ({ tick, output: path.join(folder, `clock-${tick}`) }));
    const counts = [];
    for (const { tick, output } of outputs) {
      await mkdir(output);
      let nowMs = 0;
      const events: TrainerEvent[] = [];
      await trainBuiltIn({
        snapshotFolder: path.join(folder, 'snapshot'),
        filesFolder: folder,
        parameters: builtInParametersSchema.parse({ network: { kind: 'linear' }, epochs: 2 }),
        seed: 3,
        outputFolder: output,
        emit: (event) => events.push(event),
        warn: () => undefined,
        nowMs: () => {
          nowMs += tick;
          return nowMs;
        },
      });
      counts.push([
        events.filter(({ event }) => event === 'progress').length,
        events.filter(({ event }) => event === 'checkpoint').length,
      ]);
    }
    // A clock that stands still: the first step, the first epoch's end and the last step. One second a look: every step,
    // and a checkpoint each ten.
    expect(counts).toEqual([
      [3, 0],
      [12, 1],
    ]);
    expect(await digests('clock-0')).toEqual(await digests('clock-1000'));
  });
});
