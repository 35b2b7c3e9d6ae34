import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { ownScratchFolder } from '../../src/workers/scratch-folders.js';

describe('the scratch folder of a worker', () => {
  it('is its own, and what killed workers of this host left is removed', async () => {
    const scratch = mkdtempSync(path.join(tmpdir(), 'scratch-'));
    const dead = 4_000_001;
    const alive = process.ppid;
    const names = {
      dead: `${hostname()}-${dead}`,
      alive: `${hostname()}-${alive}`,
      own: `${hostname()}-${process.pid}`,
      elsewhere: `other-host-${dead}`,
      foreign: 'notes',
    };
    for (const name of Object.values(names)) {
      mkdirSync(path.join(scratch, name));
      writeFileSync(path.join(scratch, name, 'snapshot.parquet'), 'rows');
    }
    expect(await ownScratchFolder(scratch)).toBe(path.join(scratch, names.own));
    expect(readdirSync(scratch).sort()).toEqual([names.alive, names.elsewhere, names.foreign].sort());
    rmSync(scratch, { recursive: true });
  });

  it('needs no folder to be there yet', async () => {
    const missing = path.join(tmpdir(), 'assay-none', 'scratch');
    expect(path.dirname(await ownScratchFolder(missing))).toBe(missing);
  });
});
