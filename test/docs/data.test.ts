import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parse } from 'yaml';
import { assay } from '../cli/assay.js';

const root = path.resolve(__dirname, '../..');
const guide = readFileSync(path.join(root, 'docs/data.md'), 'utf8');
const commands = [...guide.matchAll(/^ {4}assay ([^\n]+)/gm)].map((match) => match[1]!.trim());
const block = /```yaml\n([\s\S]*?)```/.exec(guide)![1]!;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'assay-data-guide-'));
  const orders = Array.from({ length: 200 }, (_, i) => {
    const placed = new Date(Date.UTC(2025, 2, 1, 0, i)).toISOString().slice(0, 19);
    return `o${i},${i % 5 === 0 ? 1 : 0},${100 + i},${i === 7 ? 5000 : 50 + i},DE, call +49 30 1234 5678 ,${placed}Z`;
  });
  const rows = ['id,fraud,amount,paid,country,note,placed', ...orders, 'test,0,1,1,DE,test order,2025-03-05'];
  writeFileSync(path.join(folder, 'orders.csv'), rows.join('\n'));
  writeFileSync(path.join(folder, 'countries.csv'), 'code\nDE\nFR\n');
  writeFileSync(
    path.join(folder, 'lifecycle.yaml'),
    `apiVersion: assay/v1\nname: orders\n${block}training: { trainer: built-in, parameters: { network: { kind: linear }, epochs: 1 } }\n` +
      'gates: [{ gate: accuracy, minimum: 0.5 }]\nrelease: { endpoint: orders }\n',
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the guide to data', () => {
  it('shows commands that work, on the block that it shows', async () => {
    const local = commands.filter((command) => !command.includes('DIGEST'));
    expect(local).toHaveLength(4);
    for (const command of local) {
      const { exit, stdout, stderr } = await assay(folder, ...command.split(/\s+/));
      expect([command, exit, stderr]).toEqual([command, 0, '']);
      if (!command.startsWith('--json')) continue;
      // Row 8 paid more than its amount even after clipping.
      expect(JSON.parse(stdout)).toMatchObject({
        status: 'accepted',
        rows: 201,
        broken: 1,
        problemsByRule: { rule: 1 },
        transforms: [{ rows: 200 }, { rows: 200 }, { rows: 1 }, { rows: 1 }],
      });
    }
    expect(parse(readFileSync(path.join(folder, 'block.yaml'), 'utf8'))).toHaveProperty('data.features');
  });

  it('shows options that the other commands have', async () => {
    const others = commands.filter((command) => command.includes('DIGEST'));
    expect(others).toHaveLength(5);
    for (const command of others) {
      const [data = '', name = ''] = command.split(' ');
      const { stdout } = await assay(folder, data, name, '--help');
      for (const [option] of command.matchAll(/--[a-z]+/g)) expect(stdout).toContain(option);
    }
  });
});
