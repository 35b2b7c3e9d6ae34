import { rmSync } from 'node:fs';
import { readersFolder } from '../docs/readers-folder.js';
import { assay } from './assay.js';

let folder: string;
beforeAll(() => {
  folder = readersFolder();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const certify = (...options: readonly string[]) =>
  assay(folder, 'certify', 'model.onnx', '--data', 'test.npz', '--range', '0,1', ...options);

describe('assay certify', () => {
  it('gives the same certificates for the same seed, and refuses below the minimum', async () => {
    const words = [
      '--method',
      'smoothing',
      '--sigma',
      '0.3',
      '--epsilon',
      '0.6',
      '--n',
      '200',
      '--samples',
      '8',
    ];
    const first = await certify(...words, '--json');
    const result = JSON.parse(first.stdout);
    expect(first.exit).toBe(0);
    expect(result).toMatchObject({ status: 'measured', minimum: null, certifiedAccuracy: { n: 8 } });
    expect(result.certificates).toHaveLength(8);
    expect(result.certificates.some(({ radius }: { radius: number }) => radius > 0)).toBe(true);
    // Of 200 votes, not even all show more than 1.82 sigma.
    expect(result.certifiedAccuracy.estimate).toBe(0);

    const again = await certify(...words, '--json', '--minimum', '0.5');
    expect(again.exit).toBe(3);
    expect(JSON.parse(again.stdout)).toMatchObject({ status: 'fail', certificates: result.certificates });
  });

  it.each([
    [['--method', 'smoothing'], 'expected --sigma with --method smoothing'],
    [['--method', 'crown', '--sigma', '1'], '--sigma goes with --method smoothing only'],
    [
      ['--method', 'smoothing', '--sigma', '1', '--norm', 'linf'],
      'expected l2 with --method smoothing, got linf',
    ],
  ])('does not take %j', async (words, message) => {
    const { exit, stderr } = await certify(...words, '--epsilon', '0.1');
    expect(exit).toBe(2);
    expect(stderr).toContain(message);
  });
});
