import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { lifecycleJsonSchema, parseLifecycle } from '../../src/core/spec/index.js';
import { readTrustPolicy } from '../../src/core/trust/index.js';
import { assay } from './assay.js';

const digits = path.resolve(__dirname, '../../examples/digits/digits.csv');
let folder: string;
const inside = (name: string) => path.join(folder, name);
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'assay-cli-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('assay', () => {
  it.each([
    [['frob'], "unknown command 'frob'"],
    [['init', '--frob'], "unknown option '--frob'"],
    [['keys', 'client', 'add'], "missing required argument 'name'"],
    [['up', '--port', '7e4'], 'Expected an integer from 0 to 65535'],
    [['run', 'missing.yaml'], 'missing.yaml'],
    [['verify', 'digits'], 'There is no trust policy'],
    [['down'], 'Nothing runs for'],
    [['keys', 'list'], 'There is no trust policy'],
  ])('%j exits with 2 and says what is wrong and what to do next', async (args, message) => {
    const { exit, stdout, stderr } = await assay(folder, ...args);
    expect({ exit, stdout }).toEqual({ exit: 2, stdout: '' });
    expect(stderr).toContain(message);
    expect(stderr).toMatch(/^ {2}next: \S/m);
    expect(stderr).not.toMatch(/^ +at /m);
  });

  it.each([[['frob']], [['verify', 'digits']], [[]]])('%j reports one object with --json', async (args) => {
    const { exit, stdout } = await assay(folder, ...args, '--json');
    expect(exit).toBe(2);
    expect(JSON.parse(stdout)).toEqual({
      error: { code: expect.any(String), message: expect.any(String), details: [], hint: expect.any(String) },
    });
  });

  it('explains itself and exits with 0', async () => {
    const { exit, stdout } = await assay(folder, '--help');
    expect(exit).toBe(0);
    for (const command of 'up down init schema run runs status approve rollback verify attack keys demo'.split(
      ' ',
    )) {
      expect(stdout).toMatch(new RegExp(`^ {2}${command}\\b`, 'm'));
    }
  });
});

describe('assay keys', () => {
  it('makes a signing key that only its owner reads, believed by the policy, and never a second time', async () => {
    const { exit, stdout } = await assay(folder, 'keys', 'init', '--json');
    expect(exit).toBe(0);
    const { keyId } = JSON.parse(stdout) as { keyId: string };
    expect(statSync(inside('.assay/keys/signing.pem')).mode & 0o777).toBe(0o600);
    const policy = readTrustPolicy(readFileSync(inside('.assay/trust.yaml'), 'utf8'));
    expect(policy.keys.map(({ id }) => id)).toEqual([keyId]);
    expect((await assay(folder, 'keys', 'list')).stdout).toContain(keyId);

    const before = readFileSync(inside('.assay/keys/signing.pem'), 'utf8');
    expect(await assay(folder, 'keys', 'init')).toMatchObject({
      exit: 2,
      stderr: expect.stringContaining('key-exists'),
    });
    expect(readFileSync(inside('.assay/keys/signing.pem'), 'utf8')).toBe(before);
    expect(stdout).not.toContain(before.split('\n')[1]);
  });

  it("shows a client's key once and keeps its hash only", async () => {
    const added = await assay(folder, '--state', 'elsewhere', '--json', 'keys', 'client', 'add', 'ada');
    const { key } = JSON.parse(added.stdout) as { key: string };
    expect(key).toMatch(/^assay_/);
    expect(readFileSync(inside('elsewhere/clients.json'), 'utf8')).not.toContain(key);
    const listed = await assay(folder, '--state', 'elsewhere', 'keys', 'client', 'list');
    expect(listed.stdout).toContain('ada');
    expect(listed.stdout).not.toContain(key);
    expect((await assay(folder, '--state', 'elsewhere', 'keys', 'client', 'add', 'ada')).exit).toBe(2);
    expect(existsSync(inside('.assay'))).toBe(false);
  });
});

describe('assay init', () => {
  it('writes a lifecycle that the parser accepts, and overwrites none', async () => {
    expect((await assay(folder, 'init')).exit).toBe(0);
    const text = readFileSync(inside('lifecycle.yaml'), 'utf8');
    expect(parseLifecycle(text, 'lifecycle.yaml').data.source).toBe('data.csv');
    expect(await assay(folder, 'init')).toMatchObject({
      exit: 2,
      stderr: expect.stringContaining('file-exists'),
    });
    expect(readFileSync(inside('lifecycle.yaml'), 'utf8')).toBe(text);
  });

  it('takes columns, types, ranges and classes from real data', async () => {
    expect((await assay(folder, 'init', 'l.yaml', '--data', digits)).exit).toBe(0);
    const { data } = parseLifecycle(readFileSync(inside('l.yaml'), 'utf8'), 'l.yaml');
    expect(path.resolve(folder, data.source)).toBe(digits);
    expect(data).toMatchObject({
      id: 'id',
      label: { column: 'label', classes: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] },
      features: [{ type: 'integer', minimum: 0, maximum: 16, scale: 'unit' }],
    });
    expect(data.features[0]?.columns).toHaveLength(64);
  });

  it('copes with odd names, texts, constants, and JSON Lines', async () => {
    const rows = ['true', 'no: "x"', 'true', 'no: "x"'].map((verdict, index) => ({
      'no.': index,
      true: 1.5 * index,
      'colour, "c"': 'red',
      same: 7,
      class: verdict,
    }));
    writeFileSync(inside('Ünïcode data!.jsonl'), rows.map((row) => JSON.stringify(row)).join('\n'));
    const { exit, stderr } = await assay(folder, 'init', '--data', 'Ünïcode data!.jsonl');
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' });
    const { name, data } = parseLifecycle(readFileSync(inside('lifecycle.yaml'), 'utf8'), 'lifecycle.yaml');
    expect(name).toBe('n-code-data');
    expect(data).toMatchObject({
      source: 'Ünïcode data!.jsonl',
      id: 'no.',
      label: { column: 'class', classes: ['no: "x"', 'true'] },
      features: [
        { columns: ['true'], type: 'number', minimum: 0, maximum: 4.5 },
        { columns: ['same'], type: 'integer', minimum: 7, maximum: 8 },
      ],
    });
  });

  it('asks for the columns that it cannot guess', async () => {
    writeFileSync(inside('d.csv'), 'a,b\n1,1\n1,2\n');
    expect(await assay(folder, 'init', '--data', 'd.csv')).toMatchObject({
      exit: 2,
      stderr: expect.stringMatching(/--label COLUMN/),
    });
    writeFileSync(inside('d.csv'), 'a,b\n1,1\n1,1\n');
    expect(await assay(folder, 'init', '--data', 'd.csv')).toMatchObject({
      exit: 2,
      stderr: expect.stringMatching(/--id COLUMN/),
    });
    expect(existsSync(inside('lifecycle.yaml'))).toBe(false);
  });
});

it('assay schema prints the JSON Schema', async () => {
  const { stdout } = await assay(folder, 'schema');
  expect(JSON.parse(stdout)).toEqual(lifecycleJsonSchema());
});
