/**
 * What a thief gets out of a classifier of examples/digits through what a client is told, by query budget: agreement of the best copy
 * with the model on digits that were never asked about, and what the hardening costs an honest client.
 *
 *     npm run build && node bench/extraction/digits.mjs [queries,…]
 */

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const { withGate } = require('../../dist/core/evaluation/index.js');
const { openSession } = require('../../dist/core/onnx/index.js');
const { gatesSchema } = require('../../dist/core/spec/index.js');
const { imitate } = require('../../dist/core/training/index.js');

const budgets = (process.argv[2] ?? '100,300,1000').split(',').map(Number);
const all = ['label', 'probabilities'];
const settings = {
  everything: { outputs: all },
  'one decimal': { outputs: all, decimals: 1 },
  'the largest, one decimal': { outputs: all, top: 1, decimals: 1 },
  'temperature 5, one decimal': { outputs: all, temperature: 5, decimals: 1 },
  'noise 1, two decimals': { outputs: all, noise: 1, decimals: 2 },
  'from 90 % on, two decimals': { outputs: all, minimumConfidence: 0.9, decimals: 2 },
  'label only': { outputs: ['label'] },
};

const digits = readDigits();
const range = { minimum: new Float32Array(64), maximum: new Float32Array(64).fill(1) };
const shape = [1, 8, 8];
// The model itself: one that nobody imitates, trained on the labels of the first 1,000 digits.
const train = part(0, 1000);
const targets = Float32Array.from({ length: 10_000 }, (_, at) =>
  Number(train.labels[Math.floor(at / 10)] === at % 10),
);
const onnx = await imitate({ ...train, targets }, { shape, classes: 10, ...range, steps: 1500, seed: 1 });
const session = await openSession(onnx, { place: 'inline' });
const logits = async (data, n) =>
  (await session.run({ [session.inputNames[0]]: { type: 'float', dims: [n, ...shape], data } }))[
    session.outputNames[0]
  ].data;
const subject = {
  samples: part(1300, 1797),
  owned: part(1000, 1300),
  classes: 10,
  ...range,
  seed: 5,
  serve: (bytes) => logits(new Float32Array(new Uint8Array(bytes).buffer), 1),
  certifiable: { onnx, shape, classes: 10, ...range, logits },
};

console.log(
  '| queries | told | knockoff | label-only | jacobian | calibration error | answers with probabilities |',
);
console.log('|---|---|---|---|---|---|---|');
for (const queries of budgets) {
  for (const [name, reveals] of Object.entries(settings)) {
    const [spec] = gatesSchema.parse([{ gate: 'extraction', maximum: 0.5, queries, reveals }]);
    const { figures } = await withGate(spec, async (gate, own) => {
      const measured = await gate.measure(own, subject);
      return gate.decide(own, { ...measured, classes: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] });
    });
    const copies = ['knockoff', 'label-only', 'jacobian'].map((attack) =>
      figures[`agreement of ${attack}`].toFixed(3),
    );
    const [error, told] = [figures['calibration error'], figures['share of answers with probabilities']];
    console.log(
      `| ${queries} | ${name} | ${copies.join(' | ')} | ${told > 0 ? error.toFixed(3) : '—'} | ${told.toFixed(2)} |`,
    );
  }
}
await session.close();

function part(from, to) {
  return {
    ids: digits.ids.slice(from, to),
    inputs: digits.inputs.slice(64 * from, 64 * to),
    labels: digits.labels.slice(from, to),
  };
}

function readDigits() {
  const [header, ...body] = readFileSync('examples/digits/digits.csv', 'utf8')
    .trimEnd()
    .split(/\r?\n/)
    .map((line) => line.split(','));
  const pixels = header.flatMap((name, column) => (/^p\d\d$/.test(name) ? [column] : []));
  return {
    ids: body.map((row) => row[header.indexOf('id')]),
    inputs: Float32Array.from(body.flatMap((row) => pixels.map((column) => Number(row[column]) / 16))),
    labels: Uint32Array.from(body, (row) => Number(row[header.indexOf('label')])),
  };
}
