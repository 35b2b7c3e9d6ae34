import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { AttackResult } from '../../src/cli/attack/result.js';
import { openDatabase } from '../../src/core/data/database.js';
import { decodeNpy } from '../../src/core/data/samples/npy.js';
import { encodeModel, floatTensor, graphBuilder } from '../../src/core/onnx/index.js';
import { randomStream } from '../../src/core/random/index.js';
import { field } from '../core/onnx/scan/protobuf.js';
import { assay } from './assay.js';

const root = path.resolve(__dirname, '../..');
const model = path.join(root, 'test/core/attacks/fixtures/digits-cnn.onnx');
const digits = path.join(root, 'examples/digits/digits.csv');
const lifecycle = path.join(root, 'examples/digits/lifecycle.yaml');
/** As cheap as the suite goes. */
const quick = ['--samples', '25', '--steps', '5', '--restarts', '1', '--queries', '10'];
const scaled = ['--range', '0,16', '--scale', 'unit'];

let folder: string;
const inside = (name: string) => path.join(folder, name);
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'assay-attack-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const attack = (...args: readonly string[]) => assay(folder, 'attack', ...args);

describe('assay attack', () => {
  it('needs a model, samples and a radius, and says what it took for granted', async () => {
    const { exit, stdout, stderr } = await attack(
      model,
      '--data',
      digits,
      '--epsilon',
      '0.1',
      ...scaled,
      ...quick,
    );
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' });
    expect(stdout).toContain('25 of 1797 samples, linf radius 0.1');
    expect(stdout).toContain('Column "label" is taken for the label.');
    expect(stdout).toMatch(/^ {2}pgd +\d+ +\d+ +[01]\.\d{4} +\d+\.\d$/m);
    expect(stdout).toMatch(/^Robust accuracy [01]\.\d{4}, 95 % interval \[.*\], n = 25$/m);
    expect(existsSync(inside('.assay'))).toBe(false);
  });

  it('gives the same figures from a lifecycle, whose test split it uses, and every time', async () => {
    const args = [model, '--lifecycle', lifecycle, '--epsilon', '0.1', ...quick, '--json'];
    const results = await Promise.all([attack(...args), attack(...args)]);
    const [one, other] = results.map(({ stdout }) => timeless(JSON.parse(stdout) as AttackResult));
    expect(one).toEqual(other);
    expect(one).toMatchObject({ data: { available: 359, range: [0, 1] }, minimum: null });
    expect(one!.attacks.map((each) => each.attack).slice(0, 2)).toEqual(['fgsm', 'pgd']);
    expect(one!.command).toContain('--epsilon 0.1');
  });

  it('runs the attacks that are asked for, in any norm, and shows every control', async () => {
    const args = [
      model,
      '--lifecycle',
      lifecycle,
      '--norm',
      'l2',
      '--epsilon',
      '0.5',
      '--attacks',
      'fgsm,square',
    ];
    const { exit, stdout } = await attack(...args, '--samples', '10', '--queries', '10');
    expect(exit).toBe(0);
    expect(stdout).toContain('l2 radius 0.5');
    expect(stdout).toMatch(/^ {2}square +\d/m);
    expect(stdout).not.toMatch(/^ {2}pgd/m);
    expect(stdout).toMatch(/^ {2}[✓✗?] the whole suite was run \(fgsm, square\)$/m);
  });

  it('attacks what uses operators of another domain as a black box, where that domain is allowed', async () => {
    writeFileSync(inside('foreign.onnx'), foreignOnnx());
    const args = ['foreign.onnx', '--lifecycle', lifecycle, '--epsilon', '0.3', '--samples', '60'];
    const refused = await attack(...args);
    expect(refused.exit).toBe(3);
    expect(refused.stderr).toContain('expected a domain of ONNX, got "com.microsoft"');
    expect(refused.stderr).toContain('--allow-domain');
    const allowed = await attack(...args, '--queries', '10', '--allow-domain', 'com.microsoft', '--json');
    const { model: seen, attacks, status } = JSON.parse(allowed.stdout) as AttackResult;
    expect(seen).toMatchObject({
      gradient: 'unavailable',
      obstacle: expect.stringContaining('domain com.microsoft'),
    });
    expect(attacks.map((each) => each.attack)).toEqual(['square', 'hop-skip-jump']);
    expect(status).toBe('inconclusive');
  });

  it('attacks through a parent that is named, and says so', async () => {
    // Nothing but the parent: through itself, a model breaks as by its own gradients.
    const args = ['--lifecycle', lifecycle, '--epsilon', '0.3', '--samples', '10', '--json'];
    const { exit, stdout } = await attack(model, ...args, '--attacks', 'transfer', '--parent', model);
    expect(exit).toBe(0);
    const result = JSON.parse(stdout) as AttackResult;
    expect(result.model.parent).toEqual({ file: model, digest: result.model.digest });
    expect(result.attacks).toMatchObject([{ attack: 'transfer', attacked: 10 }]);
    expect(result.attacks[0]!.broken).toBeGreaterThan(5);
    expect(result.controls).toContainEqual(
      expect.objectContaining({
        name: "gradients do what the parent's do",
        seen: `${result.attacks[0]!.broken} of 10 broken through the parent alone`,
      }),
    );
  });

  it('is a check with --minimum: exit 0 where it passes, 3 where it does not', async () => {
    const args = [
      model,
      '--lifecycle',
      lifecycle,
      '--samples',
      '60',
      '--steps',
      '5',
      '--restarts',
      '1',
      '--queries',
      '10',
    ];
    const easy = await attack(...args, '--epsilon', '1e-3', '--minimum', '0.5');
    expect(easy.exit).toBe(0);
    expect(easy.stdout).toContain('Minimum 0.5: pass');
    const hard = await attack(...args, '--epsilon', '0.5', '--minimum', '0.5');
    expect(hard.exit).toBe(3);
    expect(hard.stdout).toMatch(/Minimum 0.5: FAIL\n {2}- Robust accuracy/);
  });

  it('writes result, evidence and adversarial examples, which anyone can check', async () => {
    const out = inside('out');
    const { exit } = await attack(
      model,
      '--lifecycle',
      lifecycle,
      '--epsilon',
      '0.3',
      ...quick,
      '--output',
      out,
    );
    expect(exit).toBe(0);
    const result = JSON.parse(readFileSync(path.join(out, 'result.json'), 'utf8')) as AttackResult;
    const rows = readFileSync(path.join(out, 'evidence.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const listed = JSON.parse(readFileSync(path.join(out, 'examples.json'), 'utf8')) as {
      id: string;
      label: number;
    }[];
    expect(rows).toHaveLength(25);
    const database = await openDatabase(out);
    const table = await database.rows(`SELECT * FROM read_parquet('${path.join(out, 'evidence.parquet')}')`);
    database.close();
    expect(table.map(({ id, label, correct }) => ({ id, label, correct }))).toEqual(
      rows.map(({ id, label, correct }) => ({ id, label, correct })),
    );
    expect(table.map((row) => row.pgd_distance)).toEqual(
      rows.map(({ attacks }) => attacks?.pgd?.distance ?? null),
    );
    expect(table.map((row) => row.apgd_ce_broken)).toEqual(
      rows.map(({ attacks }) => attacks?.['apgd-ce']?.broken ?? null),
    );
    expect(listed.length).toBe(25 - Math.round(25 * result.robustAccuracy.estimate));
    const [original, adversarial] = ['original.npy', 'adversarial.npy'].map((name) =>
      decodeNpy(readFileSync(path.join(out, name)), name),
    );
    expect(adversarial!.shape).toEqual([listed.length, 1, 8, 8]);
    const distance = Math.max(
      ...Array.from(adversarial!.data as Float32Array, (value, i) =>
        Math.abs(value - (original!.data[i] as number)),
      ),
    );
    expect(distance).toBeGreaterThan(0);
    expect(distance).toBeLessThanOrEqual(0.3);
    expect(readdirSync(path.join(out, 'pictures')).length).toBe(3 * listed.length);
    const again = await attack(
      model,
      '--lifecycle',
      lifecycle,
      '--epsilon',
      '0.3',
      ...quick,
      '--output',
      out,
    );
    expect(again).toMatchObject({ exit: 2, stderr: expect.stringContaining('folder-exists') });
  });

  it('writes a report that loads nothing, and in which data is text whatever it says', async () => {
    const hostile = '<script>alert(1)</script>';
    const [header, ...rows] = readFileSync(digits, 'utf8').trim().split(/\r?\n/);
    const renamed = rows.slice(0, 60).map((row, i) => {
      const cells = row.split(',');
      return [`${hostile}"'&${i}`.replaceAll('"', ''), ...cells.slice(1, -1), `<b>${cells.at(-1)}`].join(',');
    });
    writeFileSync(inside('<i>.csv'), [header, ...renamed].join('\n'));
    const classes = Array.from({ length: 10 }, (_, i) => `<b>${i}`).join(',');
    const { exit, stderr } = await attack(
      model,
      '--data',
      '<i>.csv',
      '--classes',
      classes,
      '--epsilon',
      '0.3',
      ...scaled,
      ...quick,
      '--html',
      'report.html',
    );
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' });
    const page = readFileSync(inside('report.html'), 'utf8');
    expect(page).not.toMatch(/<script|<i>|<b>|javascript:|@import/i);
    expect(page).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
    expect(page.match(/data:image\/png;base64,/g)!.length).toBeGreaterThanOrEqual(3);
    for (const [, source] of page.matchAll(/(?:src|href|url)\s*[=(]\s*"?([^">)]*)/gi))
      expect(source).toMatch(/^data:image\/png;base64,/);
    expect(page).not.toMatch(/https?:/);
    expect(page).toContain("default-src 'none'");
    expect(page).not.toMatch(/ style="| on[a-z]+="/);
    const again = await attack(model, '--data', '<i>.csv', '--epsilon', '0.3', '--html', 'report.html');
    expect(again).toMatchObject({ exit: 2, stderr: expect.stringContaining('file-exists') });
  });

  it.each([
    [['none.onnx', '--data', digits, '--epsilon', '1'], 2, 'source-missing'],
    [[model, '--epsilon', '1'], 2, 'expected --data FILE or --lifecycle FILE'],
    [[model, '--data', digits], 2, 'expected --epsilon RADIUS, --patch HxW'],
    [[model, '--data', digits, '--patch', '3'], 2, 'HEIGHTxWIDTH'],
    [[model, '--data', digits, '--patch', '3x3', '--norm', 'l2'], 2, 'expected linf with a patch'],
    [[model, '--data', digits, '--epsilon', '1', '--eot', '4', '--answers', '6'], 2, 'an odd number'],
    [[model, '--data', digits, '--epsilon', '0'], 2, 'Expected a number'],
    [[model, '--data', digits, '--epsilon', '1', '--norm', 'l7'], 2, 'Allowed choices'],
    [[model, '--data', digits, '--epsilon', '1', '--attacks', 'fgsm,magic'], 2, 'got magic'],
    [[model, '--data', digits, '--epsilon', '1', '--attacks', 'fgsm,fgsm'], 2, 'each once'],
    [[model, '--data', digits, '--epsilon', '1', '--attacks', 'transfer'], 2, 'expected --parent FILE'],
    [[model, '--data', digits, '--epsilon', '1', '--parent', 'none.onnx'], 2, 'source-missing'],
    [[model, '--data', digits, '--epsilon', '1', '--range', '3'], 2, 'LOW,HIGH'],
    [[model, '--data', digits, '--epsilon', '1', '--scale', 'unit'], 2, '--range LOW,HIGH'],
    [[model, '--data', digits, '--epsilon', '1', '--scale', '0,16', '--range', '0,16'], 2, 'got both'],
    [[model, '--data', digits, '--epsilon', '1', '--shape', '8x8'], 2, 'such as 1,8,8'],
    [[model, '--data', digits, '--epsilon', '1', '--split', 'test'], 2, '--lifecycle only'],
    [[model, '--lifecycle', lifecycle, '--epsilon', '1', '--range', '0,1'], 2, 'no --range'],
    [[model, '--data', digits, '--epsilon', '1', '--columns', 'p00,p01'], 3, 'expected samples of 64 values'],
    [[digits, '--data', digits, '--epsilon', '1'], 3, 'model-unsafe'],
  ] as const)('%j exits with %i and says why', async (args, exit, message) => {
    const result = await attack(...args);
    expect({ exit: result.exit, stdout: result.stdout }).toEqual({ exit, stdout: '' });
    expect(result.stderr).toContain(message);
    expect(result.stderr).toMatch(/^ {2}next: \S/m);
    expect(result.stderr).not.toMatch(/^ +at /m);
  });

  it('stops at Ctrl-C with 130, and leaves nothing behind', async () => {
    let ended: { code: number | null; stderr: string } = { code: null, stderr: '' };
    // A signal that comes before the command listens ends it, too.
    for (let delayMs = 2000; ended.code === null && delayMs < 60_000; delayMs *= 2)
      ended = await interrupted(delayMs);
    expect(ended).toEqual({ code: 130, stderr: expect.stringContaining('Interrupted') });
    expect(existsSync(inside('out'))).toBe(false);
  });
});

/** Starts an attack that takes minutes, and ends it after a while as Ctrl-C does. */
async function interrupted(delayMs: number): Promise<{ code: number | null; stderr: string }> {
  const endless = ['--steps', '10000', '--output', inside('out')];
  const child = spawn(process.execPath, [
    path.join(root, 'dist/cli/main.js'),
    ...['attack', model, '--lifecycle', lifecycle, '--epsilon', '0.1', ...endless],
  ]);
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  setTimeout(() => child.kill('SIGINT'), delayMs);
  const code = await new Promise<number | null>((resolve) => child.on('exit', resolve));
  return { code, stderr };
}

/** What may differ between two runs: seconds. */
function timeless(result: AttackResult): AttackResult {
  return { ...result, seconds: 0, attacks: result.attacks.map((each) => ({ ...each, seconds: 0 })) };
}

/** A small classifier with a Gelu of ONNX Runtime's own domain. */
function foreignOnnx(): Uint8Array {
  const stream = randomStream(1, 'foreign');
  const b = graphBuilder(17);
  const x = b.input('input', 'float', ['N', 1, 8, 8]);
  const flat = b.op('Flatten', [x])[0];
  const weights = floatTensor(
    [64, 10],
    Float32Array.from({ length: 640 }, () => stream.normal()),
  );
  const [scores] = b.op('MatMul', [flat, b.constant(weights, 'weights')]);
  b.output('logits', 'float', ['N', 10], b.op('Relu', [scores])[0]);
  const { graph, ...model } = b.toModel();
  const nodes = graph.nodes.map((node) =>
    node.opType === 'Relu' ? { ...node, opType: 'Gelu', name: 'com.microsoft' } : node,
  );
  const bytes = Buffer.from(encodeModel({ ...model, graph: { ...graph, nodes } }));
  // The encoder writes no other domains: the name of the node, field 3, becomes its domain, field 7.
  bytes[bytes.indexOf('com.microsoft') - 2] = (7 << 3) | 2;
  return Buffer.concat([bytes, field(8, [field(1, 'com.microsoft'), field(2, 1)])]);
}
