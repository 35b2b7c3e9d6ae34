import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { evaluateGate } from '../../src/core/evaluation/index.js';
import { gatesSchema } from '../../src/core/spec/index.js';
import { alice } from '../gateway/running-gateway.js';
import { buildPlant, type Plant } from '../support/plant.js';
import { sharedTemporal } from '../support/temporal.js';
import { type DigitsChanges, writeDigits } from './digits-lifecycle.js';
import { fractionOf, reaches, statusOf, underWay } from './watch-run.js';

const sigma = 0.25;
const smoothed: DigitsChanges = {
  training: {
    trainer: 'built-in',
    seed: 7,
    reproduce: false,
    parameters: {
      network: { kind: 'mlp', hidden: [32] },
      epochs: 12,
      learningRate: 0.003,
      adversarial: { method: 'gaussian', sigma },
    },
    smoothing: { sigma, samples: 30, alpha: 0.001 },
  },
  gates: [
    {
      gate: 'certified',
      method: 'smoothing',
      norm: 'l2',
      epsilon: 0.1,
      minimum: 0.3,
      // One shard, and seconds of it: time enough for a kill to land in the middle.
      samples: 40,
      smoothing: { sigma, n: 40_000 },
    },
  ],
};

describe('a model that is served smoothed', () => {
  let folder: string;
  let plant: Plant;

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'assay-smoothed-'));
    plant = await buildPlant(sharedTemporal().address);
  });
  afterAll(async () => {
    await plant?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('is certified by another worker from where a killed one stopped, and its gateway votes and abstains', async () => {
    const [compute] = await Promise.all([plant.startWorker('cpu'), plant.startWorker('control', 'signing')]);
    const run = await plant.client.start(writeDigits(folder, smoothed));
    const last = await reaches(plant, run, underWay('evaluateShard', 0.25));
    const killedAt = fractionOf('evaluateShard', last);
    expect(killedAt).toBeLessThan(1);
    await compute.kill();
    await plant.startWorker('cpu');
    let least = 1;
    await reaches(plant, run, (progress) => {
      const again = progress.running.some(
        ({ activity, attempt }) => activity === 'evaluateShard' && attempt === 2,
      );
      if (again) least = Math.min(least, fractionOf('evaluateShard', progress));
      return statusOf('evaluate', progress) === 'done';
    });
    // From the beginning, the second attempt would have reported less.
    expect(least).toBeGreaterThan(killedAt / 2);
    const outcome = await plant.client.outcome(run);
    if (outcome.status !== 'released') throw new Error(`expected a release, got ${JSON.stringify(outcome)}`);
    const { model, snapshot, verdicts } = outcome;

    const workFolder = path.join(folder, 'work');
    mkdirSync(workFolder);
    const undisturbed = await evaluateGate({
      store: plant.client.store,
      gate: gatesSchema.parse(smoothed.gates)[0]!,
      ...{ model, snapshot, workFolder },
      signal: new AbortController().signal,
      onProgress: () => undefined,
    });
    expect(verdicts.find(({ kind }) => kind === 'certified')).toEqual(undisturbed);

    const answers = await askGateway(betweenTwoDigits());
    expect([answers.labels[0], answers.labels.at(-1)]).toEqual([0, 1]);
    expect([answers.abstained[0], answers.abstained.at(-1)]).toEqual([false, false]);
    // Somewhere between them no vote is clear.
    expect(answers.abstained).toContain(true);
    expect(answers.labels.map((label) => label === -1)).toEqual(answers.abstained);
  });

  /** Rows of pixels on the straight way from a zero to a one. */
  function betweenTwoDigits(): readonly (readonly number[])[] {
    const [header, ...lines] = readFileSync(path.join(folder, 'digits.csv'), 'utf8').trim().split('\n');
    const pixels = header!.split(',').flatMap((name, i) => (/^p\d\d$/.test(name) ? [i] : []));
    const label = header!.split(',').indexOf('label');
    const digit = (name: string) => {
      const cells = lines.map((line) => line.split(',')).find((row) => row[label] === name)!;
      return pixels.map((i) => Number(cells[i]) / 16);
    };
    const [zero, one] = [digit('0'), digit('1')];
    return Array.from({ length: 41 }, (_, step) =>
      zero.map((value, i) => value + (step / 40) * (one[i]! - value)),
    );
  }

  async function askGateway(rows: readonly (readonly number[])[]) {
    const clients = path.join(folder, 'clients.json');
    writeFileSync(clients, JSON.stringify([alice.client]));
    const gateway = spawn(
      process.execPath,
      [
        path.resolve(__dirname, '../../dist/gateway/main.js'),
        ...['--store', plant.storeUrl, '--trust', plant.trustFile, '--clients', clients],
        ...['--state', path.join(folder, 'state/gateway.json'), '--port', '0', '--poll-ms', '50'],
      ],
      { stdio: ['ignore', 'pipe', 'ignore'] },
    );
    try {
      const [line] = await once(createInterface({ input: gateway.stdout }), 'line');
      const { address } = JSON.parse(String(line)) as { readonly address: string };
      while (!(await fetch(`${address}/v2/health/ready`)).ok) await sleep(20);
      const response = await fetch(`${address}/v2/models/digits/infer`, {
        method: 'POST',
        headers: { authorization: `Bearer ${alice.key}`, 'content-type': 'application/json' },
        body: JSON.stringify({
          inputs: [{ name: 'input', datatype: 'FP32', shape: [rows.length, 1, 8, 8], data: rows.flat() }],
        }),
      });
      const body = (await response.json()) as {
        readonly outputs: readonly { readonly name: string; readonly data: readonly unknown[] }[];
      };
      const output = (name: string) => body.outputs.find((each) => each.name === name)!.data;
      return {
        labels: output('label') as readonly number[],
        abstained: output('abstained') as readonly boolean[],
      };
    } finally {
      gateway.kill('SIGKILL');
      await once(gateway, 'exit');
    }
  }
});
