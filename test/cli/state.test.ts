import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { claimHolder, claimState, statePaths } from '../../src/cli/state.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'assay-state-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('the claim on a state folder', () => {
  it('is held by one, from before anything runs until it is given back', () => {
    const paths = statePaths(folder, {});
    const release = claimState(paths);
    expect(claimHolder(paths)).toBe(process.pid);
    expect(() => claimState(paths)).toThrow(expect.objectContaining({ code: 'server-running' }));
    release();
    expect(claimHolder(paths)).toBeUndefined();
    claimState(paths)();
  });

  it.each([
    ['a process that is gone', JSON.stringify({ pid: 2 ** 22 + 1, pidStartedAt: '1' })],
    ['another process of the same number', JSON.stringify({ pid: process.pid, pidStartedAt: '1' })],
    ['nobody, in other words', '{"pid":'],
  ])('counts for nothing in the name of %s', (_whose, text) => {
    const paths = statePaths(folder, {});
    writeFileSync(paths.claim, text);
    expect(claimHolder(paths)).toBeUndefined();
    claimState(paths)();
    expect(existsSync(paths.claim)).toBe(false);
  });
});
