import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { encodeModel, floatTensor, graphBuilder } from '../../src/core/onnx/index.js';
import { hashedNgrams } from '../../src/core/text/index.js';
import { assay } from './assay.js';

const features = { column: 'text', words: [1], characters: [], buckets: 64, maximumLength: 60 };
const lifecycle = `
apiVersion: assay/v1
name: notes
data:
  source: notes.jsonl
  id: id
  label: { column: label, classes: [negative, positive] }
  text: { column: text, words: [1], buckets: 64, maximumLength: 60 }
  split: { train: 0.5, validation: 0.25, test: 0.25, seed: 1 }
training: { trainer: built-in, seed: 1, parameters: { network: { kind: linear }, epochs: 1 } }
gates: [{ gate: accuracy, minimum: 0.5 }]
release: { endpoint: notes }
`;
const notes = [
  ['good <b> food', 'positive'],
  ['good and superb', 'positive'],
  ['bad food', 'negative'],
  ['bad and dreadful service', 'negative'],
] as const;

/** Positive where good words outweigh bad ones. */
function model(): Uint8Array {
  const weights = new Float32Array(64);
  for (const [word, weight] of Object.entries({ good: 1, superb: 1, bad: -1, dreadful: -1 })) {
    weights[hashedNgrams(word, features).indexOf(1)] = weight;
  }
  const b = graphBuilder(17);
  const x = b.input('input', 'float', ['N', 64]);
  const columns = Float32Array.from([...weights].flatMap((weight) => [-weight, weight]));
  const [logits] = b.op('MatMul', [x, b.constant(floatTensor([64, 2], columns), 'weights')]);
  b.output('logits', 'float', ['N', 2], logits);
  return encodeModel(b.toModel());
}

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'assay-texts-'));
  const put = (name: string, content: string | Uint8Array) => writeFileSync(path.join(folder, name), content);
  put('model.onnx', model());
  put('lifecycle.yaml', lifecycle);
  put(
    'notes.jsonl',
    notes.map(([text, label], id) => JSON.stringify({ id: `n${id}`, text, label })).join('\n'),
  );
  put(
    'edits.json',
    JSON.stringify({ synonyms: { good: ['nice', 'bad'], bad: ['poor'], superb: ['super'] } }),
  );
  put('two.json', JSON.stringify({ words: 2, synonyms: { good: ['bad'], superb: ['super'] } }));
  put('none.json', JSON.stringify({ words: 1 }));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const attack = (...args: readonly string[]) =>
  assay(folder, 'attack', 'model.onnx', '--lifecycle', 'lifecycle.yaml', '--split', 'all', ...args);

describe('assay attack --edits', () => {
  it('edits words as the file says, and counts what the model, asked alone, then gets wrong', async () => {
    const { exit, stdout, stderr } = await attack('--edits', 'edits.json', '--output', 'out', '--json');
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' });
    const result = JSON.parse(stdout);
    expect(result).toMatchObject({ status: 'measured', cleanAccuracy: 1, robustAccuracy: { n: 4 } });
    const edited = Object.fromEntries(
      result.rows.map((row: { id: string; attack: { text: string; broken: boolean } }) => [
        row.id,
        [row.attack.text, row.attack.broken],
      ]),
    );
    // One word turns a text with one opinion, or one of two of another into a tie, which is the first class.
    expect(edited).toMatchObject({
      n0: ['bad <b> food', true],
      n1: ['bad and superb', true],
      n3: [expect.any(String), false],
    });
    expect(JSON.parse(readFileSync(path.join(folder, 'out/result.json'), 'utf8'))).toEqual(result);
  });

  it('shows broken texts in a page, as text whatever they hold', async () => {
    const { exit, stderr } = await attack('--edits', 'edits.json', '--html', 'report.html');
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' });
    const page = readFileSync(path.join(folder, 'report.html'), 'utf8');
    expect(page).toContain('<p class="soft">good &lt;b&gt; food</p><p>bad &lt;b&gt; food</p>');
    expect(page).toContain('edited taken for <strong>negative</strong>');
    expect(page).not.toMatch(/<b>|<script/);
    expect((await attack('--edits', 'edits.json', '--html', 'report.html')).stderr).toContain('file-exists');
  });

  it('passes nothing that a greedy search alone left standing', async () => {
    const { exit, stdout } = await attack('--edits', 'two.json', '--minimum', '0.1');
    expect(exit).toBe(3);
    expect(stdout).toMatch(/^ {2}edits +4 +2 +0\.5000$/m);
    expect(stdout).toContain('only those that a greedy search meets were tried');
  });

  it.each([
    [['--edits', 'none.json'], 'no edit at all'],
    [['--edits', 'missing.json'], 'source-missing'],
    [['--edits', 'edits.json', '--epsilon', '1'], 'no --epsilon with --edits'],
  ])('%j is refused with a reason', async (args, reason) => {
    const { exit, stderr } = await attack(...args);
    expect(exit).toBe(2);
    expect(stderr).toContain(reason);
  });
});
