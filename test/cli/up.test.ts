import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { assay, type CommandResult } from './assay.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'assay-up-'));
});
afterAll(async () => {
  await assay(folder, 'down');
  // What was killed with its parent may still be writing its last.
  rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
});

interface UpResult {
  readonly pid: number;
  readonly ui: string;
  readonly gateway: string;
  readonly apiKey?: string;
}
const answers = (url: string) =>
  fetch(url).then(
    () => true,
    () => false,
  );

it('assay up runs everything until down, with its state kept, its key in no log, and nothing left behind', async () => {
  // Two at once: one state folder, one server.
  const both = await Promise.all([1, 2].map(() => assay(folder, '--json', 'up', '--detach')));
  const [first, second] = both.sort((a, b) => a.exit - b.exit) as [CommandResult, CommandResult];
  expect(JSON.parse(second.stdout)).toMatchObject({ error: { code: 'server-running' } });
  expect(first).toMatchObject({ exit: 0, stderr: '' });
  const up = JSON.parse(first.stdout) as UpResult;
  expect(await answers(up.ui)).toBe(true);
  expect(await answers(`${up.gateway}/v2/health/live`)).toBe(true);
  expect(await assay(folder, 'up')).toMatchObject({
    exit: 2,
    stderr: expect.stringContaining('server-running'),
  });
  expect(await assay(folder, 'runs', '--json')).toMatchObject({ exit: 0, stdout: '[]\n' });

  expect(up.apiKey).toMatch(/^assay_/);
  const logs = path.join(folder, '.assay', 'logs');
  for (const log of readdirSync(logs)) {
    expect(readFileSync(path.join(logs, log), 'utf8')).not.toContain(up.apiKey);
  }

  expect((await assay(folder, 'down')).exit).toBe(0);
  expect([await answers(up.ui), await answers(up.gateway)]).toEqual([false, false]);
  expect((await assay(folder, 'down')).exit).toBe(2);

  const again = JSON.parse((await assay(folder, '--json', 'up', '--detach')).stdout) as UpResult;
  expect(again.apiKey).toBeUndefined();
  process.kill(again.pid, 'SIGKILL');
  while ((await answers(again.ui)) || (await answers(again.gateway))) await sleep(100);
});
