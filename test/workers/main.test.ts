import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { sharedTemporal } from '../support/temporal.js';

const main = path.resolve(__dirname, '../../dist/workers/main.js');
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'worker-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const start = (...args: string[]) =>
  spawnSync(
    process.execPath,
    [
      ...[main, '--address', sharedTemporal().address, '--scratch', path.join(folder, 'scratch')],
      ...['--store', pathToFileURL(path.join(folder, 'store')).href, ...args],
    ],
    { encoding: 'utf8', timeout: 20_000 },
  );

describe('a worker process', () => {
  it.each([
    ['cpu', 'the records key'],
    ['gpu', 'at least one device'],
    ['signing', 'the records key'],
    ['control', 'a trust policy'],
  ])('with the role %s does not start without %s', (role, missing) => {
    const { status, stderr } = start('--role', role);
    expect([status, stderr]).toEqual([1, expect.stringContaining(`role ${role} needs ${missing}`)]);
  });

  it('refuses a role that is none, and says how it is used', () => {
    const { status, stderr } = start('--role', 'constructor');
    expect([status, stderr]).toEqual([2, expect.stringContaining('--role control,cpu,gpu,signing')]);
  });
});
