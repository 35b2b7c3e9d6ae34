import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { assay } from './assay.js';

describe('assay data inspect', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'assay-data-'));
    const [header, ...rows] = readFileSync('examples/digits/digits.csv', 'utf8').trimEnd().split(/\r?\n/);
    const label = header!.split(',').indexOf('label');
    // Every third 4 is called 9.
    let fours = 0;
    const flipped = rows.map((row) => {
      const cells = row.split(',');
      if (cells[label] === '4' && fours++ % 3 === 0) cells[label] = '9';
      return cells.join(',');
    });
    writeFileSync(path.join(folder, 'flipped.csv'), [header, ...flipped].join('\n'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('names the samples whose labels were flipped, writes them down, and fails as a check', async () => {
    const { exit, stdout } = await assay(
      folder,
      ...['data', 'inspect', '--data', 'flipped.csv', '--scale', '0,16', '--detectors', 'label-noise'],
      ...['--output', 'suspects.jsonl', '--check'],
    );
    expect(exit).toBe(3);
    expect(stdout).toContain('label-noise');
    expect(stdout).toMatch(/expected class 4 \(\d+\.\d %\), got class 9/);
    const suspects = readFileSync(path.join(folder, 'suspects.jsonl'), 'utf8').trimEnd().split('\n');
    const flips = suspects.filter((line) => /expected class 4 .*, got class 9/.test(line));
    // 61 labels were flipped.
    expect(flips.length).toBeGreaterThan(40);
    expect(suspects.length - flips.length).toBeLessThan(10);
  });

  it('finds nothing amiss in inputs that nobody touched', async () => {
    const { exit, stdout } = await assay(
      folder,
      ...['--json', 'data', 'inspect', '--data', 'flipped.csv', '--scale', '0,16'],
      ...['--detectors', 'outliers', '--check'],
    );
    expect(exit).toBe(0);
    const { inspections } = JSON.parse(stdout) as { inspections: readonly { status: string }[] };
    expect(inspections.map(({ status }) => status)).toEqual(['clean']);
  });

  it('names the detectors there are when it does not know one', async () => {
    const { exit, stderr } = await assay(
      folder,
      'data',
      'inspect',
      '--data',
      'flipped.csv',
      '--detectors',
      'magic',
    );
    expect(exit).toBe(2);
    expect(stderr).toContain('expected some of label-noise, outliers, ');
  });
});
