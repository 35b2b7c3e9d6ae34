import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LifecycleOutcome } from '../../workflows/contract.js';
import { describeVerdict } from '../outcome-text.js';
import { createNarrator, type Narrator } from './narrator.js';

const example = path.resolve(__dirname, '../../../examples/digits');

interface Started {
  readonly gateway: string;
  readonly ui?: string;
}

/**
 * The main job on real data: a model is trained, attacked, signed, released and asked; a tampered model, bad rows and
 * an undertrained model are each refused; a second release goes live and is rolled back.
 *
 * @param folder - an empty folder for everything that the story leaves behind
 * @throws AssertionError as soon as a step does not happen as told
 */
export async function tellStory(folder: string, say: (line: string) => void): Promise<void> {
  const state = path.join(folder, 'state');
  const project = path.join(folder, 'project');
  mkdirSync(project);
  const narrator = createNarrator(state, say);
  const { assay, chapter, line, claim } = narrator;

  chapter('Start a Temporal server, workers and a gateway');
  const up = await assay('up', '--detach');
  claim(up.exit === 0, 'everything runs');
  try {
    const { gateway, ui } = up.output as Started;
    if (ui) line(`Temporal UI  ${ui}`);
    line(`Gateway      ${gateway}`);
    const { key } = (await assay('keys', 'client', 'add', 'visitor')).output as { key: string };

    chapter('Train, attack, sign and release a model of 1,797 handwritten digits');
    const first = await run(narrator, project, 'first.yaml', (text) => text);
    claim(first.status === 'released', 'a PGD-trained model passed every gate and was released');
    for (const verdict of first.verdicts) line(describeVerdict(verdict));
    const firstModel = first.status === 'released' ? first.model : '';
    line(`model ${firstModel}, trained twice, on two workers, to the same bytes`);
    const verified = await assay('verify', 'digits');
    claim(
      verified.exit === 0,
      '`assay verify` walks the chain from the served bytes to the raw data: it holds',
    );

    chapter('Ask the gateway');
    const anonymous = await predict(gateway, undefined);
    claim(anonymous.status === 401, `without a key: ${anonymous.status}`);
    const answer = await predictionOf(gateway, key, '1');
    claim(
      answer.label === zero.label,
      `with a key: the image of a ${zero.label} is a ${answer.label} (p = ${answer.probability.toFixed(3)}), says revision ${answer.revision}`,
    );

    chapter('Change one byte of the stored model');
    const restore = flipOneByte(path.join(state, 'store'), first.status === 'released' ? first.onnx : '');
    const tampered = await assay('verify', 'digits');
    claim(tampered.exit === 3, `refused: ${firstFailure(tampered.output)}`);
    restore();
    claim((await assay('verify', 'digits')).exit === 0, 'with the byte restored the chain holds again');

    chapter('Offer data with bad rows');
    const bad = await run(narrator, project, 'bad-rows.yaml', (text) =>
      text.replace('digits.csv', 'bad-rows.csv'),
    );
    claim(bad.status === 'refused' && bad.stage === 'ingest', 'refused at ingest');
    for (const reason of bad.status === 'refused' ? bad.reasons : []) line(reason);

    chapter('Offer an undertrained model');
    const weak = await run(narrator, project, 'undertrained.yaml', (text) =>
      text.replace(/epochs: \d+/, 'epochs: 1'),
    );
    claim(weak.status === 'refused' && weak.stage === 'evaluate', 'refused at evaluate');
    for (const verdict of weak.verdicts) line(describeVerdict(verdict));

    chapter('Release a second model, and roll it back');
    const second = await run(narrator, project, 'second.yaml', (text) =>
      text.replace('trainer: built-in\n  seed: 7', 'trainer: built-in\n  seed: 8'),
    );
    claim(second.status === 'released' && second.revision === 2, 'revision 2 was released');
    claim(second.status === 'released' && second.model !== firstModel, 'it is another model');
    await predictionOf(gateway, key, '2');
    line('revision 2 answers');
    const rollback = await assay('rollback', 'digits', '--reason', 'the demo says so');
    claim(rollback.exit === 0, 'rolled back');
    const after = await predictionOf(gateway, key, '3');
    claim(after.model === firstModel, 'revision 3 answers, with the model of revision 1');
    claim((await assay('verify', 'digits')).exit === 0, 'and its chain holds');
  } finally {
    chapter('Stop everything');
    const down = await assay('down');
    claim(down.exit === 0, 'nothing is left running');
  }
  say('');
  say('        Run it on your own data: assay init --data my.csv, assay up, assay run lifecycle.yaml');
}

/** Writes a variant of the example's lifecycle and runs it. */
async function run(
  { assay }: Narrator,
  project: string,
  name: string,
  change: (text: string) => string,
): Promise<LifecycleOutcome> {
  cpSync(path.join(example, 'digits.csv'), path.join(project, 'digits.csv'));
  writeFileSync(
    path.join(project, 'bad-rows.csv'),
    withBadRows(readFileSync(path.join(example, 'digits.csv'), 'utf8')),
  );
  writeFileSync(path.join(project, name), change(readFileSync(path.join(example, 'lifecycle.yaml'), 'utf8')));
  return (await assay('run', path.join(project, name))).output as LifecycleOutcome;
}

/** A pixel out of range, a label that is none, and an id that comes twice. */
function withBadRows(csv: string): string {
  const rows = csv.split('\n');
  rows[10] = rows[10]!.replace(/^([^,]*),[^,]*/, '$1,99');
  rows[20] = rows[20]!.replace(/,\d+(\r?)$/, ',eleven$1');
  rows[30] = rows[30]!.replace(/^[^,]*/, rows[29]!.split(',')[0]!);
  return rows.join('\n');
}

/** The first row of the data: what a client would send. */
const zero = (() => {
  const fields = readFileSync(path.join(example, 'digits.csv'), 'utf8').split('\n')[1]!.split(',');
  return { label: Number(fields.at(-1)), pixels: fields.slice(1, -1).map((pixel) => Number(pixel) / 16) };
})();

function predict(gateway: string, key: string | undefined): Promise<Response> {
  return fetch(`${gateway}/v2/models/digits/infer`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(key && { authorization: `Bearer ${key}` }) },
    body: JSON.stringify({
      inputs: [{ name: 'input', shape: [1, 1, 8, 8], datatype: 'FP32', data: zero.pixels }],
    }),
  });
}

interface Prediction {
  readonly label: number;
  readonly probability: number;
  readonly revision: string;
  readonly model: string;
}

/** Asks until the wanted revision answers: gateways follow the store within a second or so. */
async function predictionOf(gateway: string, key: string, revision: string): Promise<Prediction> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const response = await predict(gateway, key);
    const body = (await response.json()) as {
      model_version?: string;
      parameters?: { model?: string };
      outputs?: readonly { name: string; data: readonly number[] }[];
    };
    if (response.status === 200 && body.model_version === revision) {
      const output = (name: string) => body.outputs?.find((tensor) => tensor.name === name)?.data ?? [];
      const label = Number(output('label')[0]);
      return {
        label,
        probability: output('probabilities')[label] ?? 0,
        revision,
        model: body.parameters?.model ?? '',
      };
    }
    await sleep(200);
  }
  throw new Error(`The gateway did not come to serve revision ${revision} of digits.`);
}

/** Finds the file that holds a blob and flips one bit of it. @returns how to undo it */
function flipOneByte(storeFolder: string, blob: string): () => void {
  const hex = blob.slice('sha256:'.length);
  const file = readdirSync(storeFolder, { recursive: true, encoding: 'utf8' }).find(
    (name) => name.endsWith(hex) && name.includes('blobs'),
  );
  if (!file) throw new Error(`The store holds no file of blob ${blob}.`);
  const full = path.join(storeFolder, file);
  const bytes = readFileSync(full);
  const flip = () => {
    bytes[bytes.length >> 1]! ^= 1;
    writeFileSync(full, bytes);
  };
  flip();
  return flip;
}

function firstFailure(output: unknown): string {
  const { failures } = output as { failures?: readonly { link: string; code: string; message: string }[] };
  const [first] = failures ?? [];
  return first ? `${first.link}: ${first.code}: ${first.message}` : 'no reason given';
}
