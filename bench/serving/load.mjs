/**
 * Requests a second, latencies and memory of the gateway with everything on, against MLServer, against bare Fastify with ONNX Runtime,
 * and against ONNX Runtime alone: one classifier of examples/digits, one machine, loopback, in one run.
 *
 *     npm run build && node bench/serving/load.mjs [SECONDS]
 *
 * MLServer's pinned packages are installed into bench/serving/mlserver/.venv on the first run, with Python 3.10 to 3.12.
 */

import { execFileSync, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { assayIn, everythingOn, readDigits, release } from './released.mjs';

const require = createRequire(import.meta.url);
const autocannon = require('autocannon');
const ort = require('onnxruntime-node');
const root = path.resolve(import.meta.dirname, '../..');
const seconds = Number(process.argv[2] ?? 8);
const python = mlserverPython();
const folder = mkdtempSync(path.join(tmpdir(), 'assay-load-'));
const state = path.join(folder, 'state');

const digits = readDigits();
const { key, onnx, input } = await releaseTwice();
/** Digits, one after the other, from the first, and then from each of them. */
const digitsFrom = (first, samples) =>
  Array.from({ length: samples }, (_, i) => digits[(first + i) % digits.length]).flat();
const bodies = (samples) =>
  digits.map((_, first) => ({
    body: JSON.stringify({
      inputs: [
        { name: input, datatype: 'FP32', shape: [samples, 1, 8, 8], data: digitsFrom(first, samples) },
      ],
    }),
  }));

console.log('| server | samples | connections | requests/s | p50 ms | p99 ms | not 2xx | peak MiB |');
console.log('|---|---|---|---|---|---|---|---|');
const gateway = (...more) => [
  process.execPath,
  path.join(root, 'dist/gateway/main.js'),
  ...['--store', `file://${path.join(state, 'store')}`, '--trust', path.join(state, 'trust.yaml')],
  ...['--clients', path.join(state, 'clients.json'), '--noise-secret', 'env:NOISE', '--port', '0', ...more],
];
await measure('gateway, everything on', gateway());
await measure('gateway, everything on, `--batch 32`', gateway('--batch', '32'));
await measure('gateway, keys alone, `--batch 32`', gateway('--batch', '32'), 'plain');
await measure('bare Fastify and ONNX Runtime', [
  process.execPath,
  path.join(import.meta.dirname, 'bare.mjs'),
  onnx,
  input,
]);
await measure('MLServer', await mlserver());
await alone(1);
await alone(32);
rmSync(folder, { recursive: true });

/**
 * Releases the example twice: to `digits`, whose clients have budgets, are watched and are told rounded, noisy probabilities, and to
 * `plain`, whose clients are told everything.
 */
async function releaseTwice() {
  const assay = assayIn(state);
  assay('up', '--detach');
  try {
    const outcome = release(assay, folder, 'digits', (text) => `${text}${everythingOn}`);
    release(assay, folder, 'plain', (text) => text.replace('endpoint: digits', 'endpoint: plain'));
    const client = assay('keys', 'client', 'add', 'load');
    const file = path.join(folder, 'model.onnx');
    const digest = outcome.onnx.replace('sha256:', '');
    cpSync(path.join(state, 'store/objects/blobs', digest.slice(0, 2), digest), file);
    const session = await ort.InferenceSession.create(file);
    return { key: client.key, onnx: file, input: session.inputNames[0] };
  } finally {
    assay('down');
  }
}

function mlserverPython() {
  const venv = path.join(import.meta.dirname, 'mlserver/.venv');
  const python = process.env.MLSERVER_PYTHON ?? path.join(venv, 'bin/python');
  if (!existsSync(python)) {
    execFileSync('python3', ['-m', 'venv', venv]);
    const requirements = path.join(import.meta.dirname, 'mlserver/requirements.txt');
    execFileSync(python, ['-m', 'pip', 'install', '-q', '-r', requirements], { stdio: 'inherit' });
  }
  return python;
}

async function mlserver() {
  const settings = path.join(folder, 'mlserver');
  mkdirSync(settings);
  cpSync(path.join(import.meta.dirname, 'mlserver/onnx_model.py'), path.join(settings, 'onnx_model.py'));
  const [http, grpc, metrics] = [await freePort(), await freePort(), await freePort()];
  const server = { host: '127.0.0.1', http_port: http, grpc_port: grpc, metrics_port: metrics, debug: false };
  // In its own process, as it is fastest for a small model.
  writeFileSync(path.join(settings, 'settings.json'), JSON.stringify({ ...server, parallel_workers: 0 }));
  const model = { name: 'digits', implementation: 'onnx_model.OnnxModel', parameters: { uri: onnx } };
  writeFileSync(path.join(settings, 'model-settings.json'), JSON.stringify(model));
  const command = [path.join(path.dirname(python), 'mlserver'), 'start', settings];
  return Object.assign(command, { address: `http://127.0.0.1:${http}`, cwd: settings });
}

async function measure(name, command, endpoint = 'digits') {
  const child = spawn(command[0], command.slice(1), {
    stdio: ['ignore', 'pipe', 'ignore'],
    cwd: command.cwd,
    env: { ...process.env, NOISE: 'a secret', PYTHONPATH: command.cwd ?? '' },
  });
  try {
    const url = `${command.address ?? (await addressOf(child))}/v2/models/${endpoint}/infer`;
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${key}` };
    for (let tries = 0; ; tries++) {
      const answer = await fetch(url, { method: 'POST', headers, body: bodies(1)[0].body }).catch(
        () => undefined,
      );
      if (answer?.ok) break;
      if (tries > 300) throw new Error(`${name} does not answer: ${await answer?.text()}`);
      await sleep(100);
    }
    for (const [samples, connections] of [
      [1, 1],
      [1, 16],
      [1, 48],
      [32, 16],
    ]) {
      const shot = { url, method: 'POST', headers, connections, requests: bodies(samples) };
      await autocannon({ ...shot, duration: 2 });
      const { requests, latency, non2xx, errors } = await autocannon({ ...shot, duration: seconds });
      row(
        name,
        samples,
        connections,
        requests.average,
        latency.p50,
        latency.p99,
        non2xx + errors,
        peakOf(child.pid),
      );
    }
  } finally {
    child.kill('SIGKILL');
  }
}

async function alone(samples) {
  const session = await ort.InferenceSession.create(onnx, { intraOpNumThreads: 1, interOpNumThreads: 1 });
  const data = Float32Array.from(digitsFrom(0, samples));
  const feeds = { [input]: new ort.Tensor('float32', data, [samples, 1, 8, 8]) };
  const times = [];
  for (const end = performance.now() + 1000 * seconds; performance.now() < end; ) {
    const begin = performance.now();
    await session.run(feeds);
    times.push(performance.now() - begin);
  }
  times.sort((a, b) => a - b);
  const at = (share) => times[Math.floor(share * times.length)];
  row('ONNX Runtime alone', samples, '', times.length / seconds, at(0.5), at(0.99), '', '');
}

function row(name, samples, connections, rate, p50, p99, failed, peak) {
  const [shown50, shown99] = [p50, p99].map((ms) => Number(ms.toPrecision(2)));
  console.log(
    `| ${name} | ${samples} | ${connections} | ${Math.round(rate)} | ${shown50} | ${shown99} | ${failed} | ${peak} |`,
  );
}

/** Largest resident set so far, MiB; neither server has children that work. */
function peakOf(pid) {
  return Math.round(Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024);
}

async function addressOf(child) {
  for await (const line of createInterface({ input: child.stdout })) return JSON.parse(line).address;
  throw new Error('the server ended before it listened');
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
