import { spawnSync } from 'node:child_process';
import path from 'node:path';

jest.setTimeout(600_000);

describe('the demo', () => {
  it('happens as told, from raw data to a rolled-back endpoint, and leaves nothing running', () => {
    const main = path.resolve(__dirname, '../../dist/cli/main.js');
    const { status, stdout, stderr } = spawnSync(process.execPath, [main, 'demo'], { encoding: 'utf8' });
    // On failure the story itself says how far it came.
    expect({ status, story: status === 0 ? '' : `${stdout}${stderr}` }).toEqual({ status: 0, story: '' });
    const claims = stdout.match(/✓/g)?.length ?? 0;
    expect(claims).toBeGreaterThanOrEqual(15);
    for (const told of ['blob-corrupt', 'eleven', 'robust accuracy', 'nothing is left running']) {
      expect(stdout).toContain(told);
    }
  });
});
