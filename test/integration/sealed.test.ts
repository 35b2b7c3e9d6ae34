import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { temporal } from '@temporalio/proto';
import { findExecutable } from '../../src/workers/server/index.js';
import { buildPlant, type Plant, startCrew } from '../support/plant.js';
import { sharedTemporal } from '../support/temporal.js';
import { writeDigits } from './digits-lifecycle.js';

const main = path.resolve(__dirname, '../../dist/cli/main.js');
const key = randomBytes(32).toString('base64');
/** Stand in payloads: a trainer's parameter, a gate's name; and what a trainer says when it fails, which ends in a failure's message. */
const canaries = { parameter: 'canary-parameter', gate: 'canary-gate', failure: 'canary-failure' };

describe('a run whose payloads are sealed', () => {
  let folder: string;
  const plants: Plant[] = [];
  const env = { ...process.env, ASSAY_PAYLOAD_KEYS: 'k1=env:TEST_PAYLOAD_KEY', TEST_PAYLOAD_KEY: key };

  beforeAll(() => {
    process.env.TEST_PAYLOAD_KEY = key;
    folder = mkdtempSync(path.join(tmpdir(), 'assay-sealed-'));
  });
  afterAll(async () => {
    for (const plant of plants) await plant.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Runs one lifecycle that is refused by its trainer, and gives all that the server holds of it. */
  async function history(workerEnv: NodeJS.ProcessEnv) {
    const plant = await buildPlant(sharedTemporal().address, workerEnv);
    plants.push(plant);
    await startCrew(plant);
    const file = writeDigits(folder, {
      training: {
        trainer: 'program',
        command: ['/bin/sh', '-c', `echo ${canaries.failure} >&2; exit 1`],
        seed: 7,
        parameters: { note: canaries.parameter },
      },
      gates: [{ gate: 'accuracy', name: canaries.gate, minimum: 0.5 }],
    });
    const run = await plant.client.start(file);
    const outcome = await plant.client.outcome(run).catch((error: unknown) => error);
    const raw = await plant.temporal.workflow.getHandle(run).fetchHistory();
    const bytes = Buffer.from(temporal.api.history.v1.History.encode(raw).finish()).toString('latin1');
    return { plant, run, outcome, bytes };
  }

  it('leaves nothing readable in the history but names and ids, and shows it to whoever has the key', async () => {
    const { ASSAY_PAYLOAD_KEYS: _, ...unsealed } = env;
    const [plain, sealed] = [await history(unsealed), await history(env)];
    const found = (bytes: string) => Object.values(canaries).filter((canary) => bytes.includes(canary));
    // That the search finds what is there is shown by the run that was not sealed.
    expect(found(plain.bytes)).toEqual(Object.values(canaries));
    expect(found(sealed.bytes)).toEqual([]);
    expect(JSON.stringify(sealed.outcome)).toContain(canaries.failure);

    const child = spawn(
      process.execPath,
      [main, '--json', 'codec', '--origin', 'http://localhost:8233', '--port', '0', '--stop-with-parent'],
      { stdio: ['pipe', 'pipe', 'ignore'], env },
    );
    try {
      const [line] = await once(createInterface({ input: child.stdout }), 'line');
      const { address } = JSON.parse(String(line)) as { readonly address: string };
      const shown = execFileSync(
        (await findExecutable()).executable,
        [
          ...['workflow', 'show', '--workflow-id', sealed.run, '--output', 'json'],
          ...['--address', sharedTemporal().address, '--namespace', sealed.plant.temporal.options.namespace],
          ...['--codec-endpoint', address],
        ],
        { encoding: 'utf8' },
      );
      const readable = [...shown.matchAll(/"data": "([^"]*)"/g)].map(([, data]) =>
        Buffer.from(data!, 'base64').toString(),
      );
      expect(found([shown, ...readable].join('\n'))).toEqual(Object.values(canaries));

      const ask = async (headers: Readonly<Record<string, string>>, body = '{"payloads":[]}') =>
        await fetch(`${address}/decode`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', ...headers },
          body,
        });
      const allowed = await ask({ origin: 'http://localhost:8233', 'x-namespace': 'default' });
      expect(allowed.status).toBe(200);
      expect(allowed.headers.get('access-control-allow-origin')).toBe('http://localhost:8233');
      expect((await ask({ origin: 'http://evil.test' })).status).toBe(403);
      expect((await ask({}, '{"payloads":[{"data":1}]}')).status).toBe(400);
      const preflight = { method: 'OPTIONS', headers: { origin: 'http://localhost:8233' } };
      expect((await fetch(`${address}/decode`, preflight)).status).toBe(204);
    } finally {
      child.stdin.end();
    }
  });
});
