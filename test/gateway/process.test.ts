import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { writeTrustPolicy } from '../../src/core/trust/index.js';
import { type ReleaseScene, releaseScene } from './release-scene.js';
import { alice, sample } from './running-gateway.js';

const main = path.resolve(__dirname, '../../dist/gateway/main.js');

let scene: ReleaseScene;
const started: ChildProcess[] = [];
let files: { readonly trust: string; readonly clients: string; readonly state: string };

beforeAll(async () => {
  scene = await releaseScene();
  const beside = (name: string) => path.join(path.dirname(scene.chain.folder), name);
  files = {
    trust: beside('trust.yaml'),
    clients: beside('clients.json'),
    state: beside('state/gateway.json'),
  };
  await writeFile(files.trust, writeTrustPolicy(scene.chain.policy));
  await writeFile(files.clients, JSON.stringify([alice.client]));
});
afterAll(async () => {
  for (const child of started) child.kill('SIGKILL');
  await scene.end();
});

function run(...args: readonly string[]) {
  const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  started.push(child);
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (data) => {
    output.stdout += data;
  });
  child.stderr.on('data', (data) => {
    output.stderr += data;
  });
  return { child, output, closed: once(child, 'close') };
}

async function serve() {
  const process = run(
    ...['--store', scene.chain.store.url, '--trust', files.trust, '--clients', files.clients],
    ...['--state', files.state, '--port', '0', '--poll-ms', '50'],
  );
  const [line] = await once(createInterface({ input: process.child.stdout }), 'line');
  const { address } = JSON.parse(String(line)) as { readonly address: string };
  while (!(await fetch(`${address}/v2/health/ready`)).ok) await nextTurn();
  const infer = async () => {
    const response = await fetch(`${address}/v2/models/samples/infer`, {
      method: 'POST',
      headers: { authorization: `Bearer ${alice.key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ ...sample, id: 'an id nobody logs' }),
    });
    return (await response.json()) as { readonly model_version: string };
  };
  return { ...process, infer };
}

describe('the gateway process', () => {
  it('serves, survives kill -9 without going back, and drains on SIGTERM', async () => {
    const first = await scene.publish(1, 0);
    await scene.publish(2, 1);
    const killed = await serve();
    expect((await killed.infer()).model_version).toBe('2');
    killed.child.kill('SIGKILL');
    await killed.closed;

    await scene.chain.point({ release: first, revision: 1 });
    const again = await serve();
    expect((await again.infer()).model_version).toBe('2');
    again.child.kill('SIGTERM');
    expect(await again.closed).toEqual([0, null]);

    expect(again.output.stdout.trim().split('\n')).toHaveLength(1);
    const log = again.output.stderr
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { readonly msg: string });
    expect(log.map(({ msg }) => msg)).toEqual(
      expect.arrayContaining(['serving', 'release refused', 'answered', 'draining', 'drained']),
    );
    expect(again.output.stderr).not.toContain('an id nobody logs');
    expect(again.output.stderr).not.toContain(alice.key);
    expect(JSON.parse(await readFile(files.state, 'utf8'))).toMatchObject({
      endpoints: { samples: { revision: 2 } },
    });
  });

  it('does not start without what it needs, and says all that is missing', async () => {
    const { closed, output } = run('--port', '70000', '--endpoints', 'Digits');
    expect(await closed).toEqual([2, null]);
    for (const problem of ['--store', '--trust', '--clients', 'got 70000', 'got "Digits"']) {
      expect(output.stderr).toContain(problem);
    }
  });

  it('does not start on a state file that it cannot understand', async () => {
    const state = path.join(path.dirname(files.trust), 'broken.json');
    await writeFile(state, '{"version":1,"endpoints":{"samples":{"revision":0}}}');
    const { closed, output } = run(
      ...[
        '--store',
        scene.chain.store.url,
        '--trust',
        files.trust,
        '--clients',
        files.clients,
        '--state',
        state,
      ],
    );
    expect(await closed).toEqual([2, null]);
    expect(output.stderr).toContain('broken.json');
  });
});
