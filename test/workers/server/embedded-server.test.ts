import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { findExecutable, startEmbeddedServer, startTemporal } from '../../../src/workers/server/index.js';
import { searchAttributes } from '../../../src/workflows/contract.js';

const dist = path.resolve(__dirname, '../../../dist/workers/server/index.js');
let folder: string;
let executable: string;
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'assay-server-'));
  ({ executable } = await findExecutable());
});
afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }));

const anyPorts = { port: 0, uiPort: 0 };
async function withClient<T>(address: string, use: (client: Client) => Promise<T>): Promise<T> {
  const connection = await Connection.connect({ address });
  try {
    return await use(new Client({ connection }));
  } finally {
    await connection.close();
  }
}
const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe('an embedded server', () => {
  it('keeps workflows over a restart and over kill -9, on the same address, and serves its UI', async () => {
    const options = { ...anyPorts, executable, databaseFile: path.join(folder, 'state #1?', 'temporal.db') };
    const first = await startEmbeddedServer(options);
    expect((await fetch(first.uiUrl)).status).toBe(200);
    await withClient(first.address, ({ workflow }) =>
      workflow.start('lifecycle', {
        workflowId: 'kept',
        taskQueue: 'nobody',
        typedSearchAttributes: [{ key: searchAttributes.endpoint, value: 'digits' }],
      }),
    );
    expect(existsSync(options.databaseFile)).toBe(true);
    await first.stop();
    expect(isAlive(first.pid)).toBe(false);

    const kept = await startTemporal({ kind: 'embedded', executable, from: 'the test' }, options);
    const status = () =>
      withClient(
        kept.address,
        async ({ workflow }) => (await workflow.getHandle('kept').describe()).status.name,
      );
    try {
      expect(await status()).toBe('RUNNING');
      const killed = kept.pid()!;
      process.kill(killed, 'SIGKILL');
      while (kept.pid() === killed) await sleep(50);
      expect(await status()).toBe('RUNNING');
    } finally {
      await kept.stop();
    }
  });

  it('ends when its parent is killed', async () => {
    const program = `require(${JSON.stringify(dist)}).startEmbeddedServer({ executable: ${JSON.stringify(executable)}, port: 0, uiPort: 0 })
      .then(({ pid }) => { console.log(pid); setInterval(() => {}, 1000); });`;
    const parent = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await once(createInterface({ input: parent.stdout }), 'line')) as [string];
    expect(isAlive(Number(line))).toBe(true);
    parent.kill('SIGKILL');
    while (isAlive(Number(line))) await sleep(50);
  });

  it('says why when it does not start', async () => {
    const taken = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as { port: number };
    await expect(startEmbeddedServer({ executable, port, uiPort: 0 })).rejects.toThrow(
      /address already in use/,
    );
    taken.close();
  });
});
