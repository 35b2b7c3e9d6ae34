/**
 * What do clients notice of 100 hot swaps, and of a store that is away for a minute?
 *
 *     npm run build && node bench/serving/trouble.mjs [SWAPS] [SECONDS AWAY]
 *
 * A real Temporal server, endpoint workflow, store and gateway with everything on; 16 clients ask without a pause. Swaps are roll-backs from the
 * command line, to and fro between two models.
 */

import { execFile } from 'node:child_process';
import { mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { assayIn, everythingOn, readDigits, release } from './released.mjs';

const run = promisify(execFile);
const [swaps, away] = [Number(process.argv[2] ?? 100), Number(process.argv[3] ?? 60)];
const folder = mkdtempSync(path.join(tmpdir(), 'assay-trouble-'));
const state = path.join(folder, 'state');
const assay = assayIn(state);
const { gateway } = assay('up', '--detach');
try {
  const models = new Map();
  for (const seed of [7, 8]) {
    const change = (text) =>
      `${text.replace('seed: 7\n  parameters', `seed: ${seed}\n  parameters`)}${everythingOn}`;
    const { revision, model } = release(assay, folder, `seed-${seed}`, change);
    models.set(String(revision), model);
  }
  const { key } = assay('keys', 'client', 'add', 'load');
  const digits = readDigits();
  await answered(key, digits, '2');

  const load = clients(key, digits);
  const lags = [];
  for (let swap = 0; swap < swaps; swap++) {
    const { stdout } = await run(
      process.execPath,
      [
        path.resolve(import.meta.dirname, '../../dist/cli/main.js'),
        '--json',
        'rollback',
        'digits',
        '--reason',
        'bench',
      ],
      { env: { ...process.env, ASSAY_STATE: state } },
    );
    const told = performance.now();
    const { record } = JSON.parse(stdout.trim().split('\n').at(-1));
    models.set(String(record.revision), record.model);
    while (load.newest() < record.revision) await sleep(5);
    lags.push(performance.now() - told);
  }
  const swapped = await load.stop();
  const wrong = swapped.filter(({ version, model }) => models.get(version) !== model).length;
  const back = swapped.filter(({ isBack }) => isBack).length;
  lags.sort((a, b) => a - b);
  console.log(
    `${swaps} swaps: ${swapped.length} requests, ${failures(swapped)} not answered, ${wrong} with another model than their revision's, ` +
      `${back} with an older revision than before on one connection; first new answer after the command ended: ` +
      `median ${Math.round(lags[Math.floor(swaps / 2)])} ms, largest ${Math.round(lags.at(-1))} ms`,
  );

  const [store, elsewhere] = [path.join(state, 'store'), path.join(state, 'store-away')];
  const during = clients(key, digits);
  await sleep(1000);
  renameSync(store, elsewhere);
  const begin = performance.now();
  await sleep(1000 * away);
  renameSync(elsewhere, store);
  const seconds = (performance.now() - begin) / 1000;
  await sleep(3000);
  const answers = await during.stop();
  console.log(
    `store away for ${seconds.toFixed(0)} s: ${answers.length} requests, ${failures(answers)} not answered (${[...new Set(answers.map(({ status }) => status))]}); ` +
      `longest pause of a client ${Math.round(Math.max(...answers.map(({ ms }) => ms)))} ms`,
  );
  await run(
    process.execPath,
    [
      path.resolve(import.meta.dirname, '../../dist/cli/main.js'),
      'rollback',
      'digits',
      '--reason',
      'the store is back',
    ],
    {
      env: { ...process.env, ASSAY_STATE: state },
    },
  );
  const last = await ask(key, digits[0]);
  console.log(`after it: revision ${last.version} answers`);
} finally {
  assay('down');
  rmSync(folder, { recursive: true });
}

function clients(key, digits) {
  const answers = [];
  let [stopping, newest] = [false, 0];
  const all = Array.from({ length: 16 }, async (_, first) => {
    let last = 0;
    for (let i = first; !stopping; i += 16) {
      const answer = await ask(key, digits[i % digits.length]);
      const version = Number(answer.version ?? last);
      answers.push({ ...answer, isBack: version < last });
      last = version;
      newest = Math.max(newest, version);
    }
  });
  return {
    newest: () => newest,
    async stop() {
      stopping = true;
      await Promise.all(all);
      return answers;
    },
  };
}

async function ask(key, pixels) {
  const begin = performance.now();
  const response = await fetch(`${gateway}/v2/models/digits/infer`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    body: JSON.stringify({
      inputs: [{ name: 'input', datatype: 'FP32', shape: [1, 1, 8, 8], data: pixels }],
    }),
  }).catch(() => undefined);
  const body = await response?.json();
  const ms = performance.now() - begin;
  return { status: response?.status ?? 0, version: body?.model_version, model: body?.parameters?.model, ms };
}

async function answered(key, digits, version) {
  while ((await ask(key, digits[0])).version !== version) await sleep(100);
}

function failures(answers) {
  return answers.filter(({ status }) => status !== 200).length;
}
