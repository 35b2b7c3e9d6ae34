/**
 * One worker against two: an evasion gate over MNIST digits, its blocks measured by one process and then by two at once,
 * with the seconds of both and whether the evidence is the same, byte for byte.
 *
 *     npm run build && node bench/evasion/workers.mjs MODEL.onnx [EPSILON] [SAMPLES]
 *
 * MODEL.onnx is a net of bench/training/mnist.mjs.
 */

import { spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { digits, size } from '../digits.mjs';

const require = createRequire(import.meta.url);
const built = (room) => require(`../../dist/core/${room}/index.js`);
const { ingest } = built('data');
const { measureShard, mergeShards, planShards } = built('evaluation');
const { dataSchema, gatesSchema } = built('spec');
const { openStore } = built('store');

if (process.argv[2] === 'measure') await work(JSON.parse(readFileSync(0, 'utf8')));
else await compare(process.argv[2], Number(process.argv[3] ?? 0.2), Number(process.argv[4] ?? 100));

/** One worker: measures blocks one after the other, and says what it stored. */
async function work({ url, workFolder, blocks, ...input }) {
  const store = await openStore(url);
  const shards = [];
  for (const block of blocks) {
    const { signal } = new AbortController();
    shards.push(await measureShard({ ...input, store, workFolder, block, signal, onProgress: () => {} }));
  }
  const { user, system } = process.cpuUsage();
  console.log(JSON.stringify({ shards, cpuSeconds: (user + system) / 1e6 }));
}

async function compare(file, epsilon, samples) {
  const root = mkdtempSync(path.join(tmpdir(), 'workers-'));
  try {
    const folders = Object.fromEntries(
      ['store', 'model', 'work'].map((name) => [name, path.join(root, name)]),
    );
    for (const folder of Object.values(folders)) mkdirSync(folder);
    const url = pathToFileURL(folders.store).href;
    const store = await openStore(url);
    const columns = Array.from({ length: size }, (_, i) => `x${i}`);
    const classes = Array.from({ length: 10 }, (_, digit) => String(digit));
    const snapshot = await snapshotOf(store, folders.work, columns, classes);
    const card = {
      version: 1,
      name: 'digits',
      input: {
        name: 'input',
        shape: [1, 28, 28],
        minimum: columns.map(() => 0),
        maximum: columns.map(() => 1),
        columns,
      },
      output: { name: 'logits', classes },
      snapshot,
      training: { trainer: 'bench', seed: 1, parameters: {} },
    };
    copyFileSync(file, path.join(folders.model, 'model.onnx'));
    writeFileSync(path.join(folders.model, 'model-card.json'), JSON.stringify(card));
    const model = await store.putTree(folders.model);
    const [gate] = gatesSchema.parse([{ gate: 'evasion', norm: 'linf', epsilon, minimum: 0, samples }]);
    const input = { gate, model, snapshot };
    const blocks = (await planShards(store, input, 2)).flat();
    const digests = [];
    for (const workers of [1, 2]) {
      const began = performance.now();
      const done = await Promise.all(
        Array.from({ length: workers }, (_, worker) => {
          const own = blocks.filter((_block, i) => i % workers === worker);
          return started({ ...input, url, workFolder: folders.work, blocks: own });
        }),
      );
      const seconds = (performance.now() - began) / 1000;
      const shards = done.flatMap((each) => each.shards).sort((a, b) => a.block.from - b.block.from);
      const { evidence, status, estimate } = await mergeShards(store, input, shards);
      digests.push(evidence);
      const cpuSeconds = done.reduce((sum, each) => sum + each.cpuSeconds, 0);
      console.log(
        JSON.stringify({ workers, seconds, cpuSeconds, blocks: blocks.length, evidence, status, estimate }),
      );
    }
    if (digests[0] !== digests[1]) throw new Error('expected the same evidence of one worker and of two');
  } finally {
    rmSync(root, { recursive: true });
  }
}

async function snapshotOf(store, workFolder, columns, classes) {
  const { ids, inputs, labels } = digits(9000, 10_000);
  const lines = ids.map((id, row) =>
    [id, ...inputs.subarray(row * size, (row + 1) * size), labels[row]].join(','),
  );
  const source = await store.putBlob(
    Buffer.from([['id', ...columns, 'label'].join(','), ...lines, ''].join('\n')),
  );
  const data = dataSchema.parse({
    source: 'digits.csv',
    id: 'id',
    label: { column: 'label', classes },
    features: [{ columns, type: 'number', minimum: 0, maximum: 1 }],
    shape: [1, 28, 28],
  });
  const result = await ingest({ store, source, data, workFolder });
  if (result.kind !== 'accepted') throw new Error(result.summary.join('\n'));
  return result.record.snapshot;
}

/** A worker process. */
function started(input) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [fileURLToPath(import.meta.url), 'measure'], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    let said = '';
    child.stdout.on('data', (part) => {
      said += part;
    });
    child.on('error', reject);
    child.on('close', (code) =>
      code === 0 ? resolve(JSON.parse(said)) : reject(new Error(`worker ended with ${code}`)),
    );
    child.stdin.end(JSON.stringify(input));
  });
}
