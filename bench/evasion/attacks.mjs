/**
 * Assay's half of the comparison in referee.py: attacks test digits one attack after the other, each on what is left
 * standing, and writes which samples each left unbroken, with seconds
 * by the clock and of processor time.
 *
 *     npm run build && node bench/evasion/attacks.mjs MODEL.onnx FOLDER < plan.json
 *
 * A plan: { samples, epsilon, seed, batchSize, runs: [{ name, attacks: [{ attack, …options }] }] }. Writes into FOLDER
 * `inputs.f32` (row-major), `labels.json`, `logits.json` and `assay.json`.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { digits, size } from '../digits.mjs';

const require = createRequire(import.meta.url);
const { attacks, openClassifier } = require('../../dist/core/attacks/index.js');

const [, , file, folder] = process.argv;
const { samples: count, epsilon, seed, batchSize, runs } = JSON.parse(readFileSync(0, 'utf8'));
const samples = digits(9000, 9000 + count);
const threat = {
  norm: 'linf',
  epsilon,
  minimum: new Float32Array(size),
  maximum: new Float32Array(size).fill(1),
};
const classifier = await openClassifier(readFileSync(file), [1, 28, 28]);
const logits = await classifier.logits(samples.inputs, count);
writeFileSync(path.join(folder, 'inputs.f32'), samples.inputs);
writeFileSync(path.join(folder, 'labels.json'), JSON.stringify(Array.from(samples.labels)));
writeFileSync(path.join(folder, 'logits.json'), JSON.stringify(Array.from(logits)));

const results = [];
for (const { name, attacks: list } of runs) {
  const stages = [];
  let standing = Array.from({ length: count }, (_, i) => i);
  for (const { attack, ...options } of list) {
    const began = performance.now();
    const before = process.cpuUsage();
    const { success } = await attacks[attack].run(classifier, rowsOf(standing), threat, options, {
      seed,
      batchSize,
    });
    standing = standing.filter((_, row) => success[row] === 0);
    const { user, system } = process.cpuUsage(before);
    const seconds = (performance.now() - began) / 1000;
    stages.push({ attack, seconds, cpuSeconds: (user + system) / 1e6, standing });
  }
  results.push({ name, stages, standing });
}
await classifier.close();
writeFileSync(path.join(folder, 'assay.json'), JSON.stringify(results));

function rowsOf(rows) {
  const inputs = new Float32Array(rows.length * size);
  rows.forEach((row, i) => {
    inputs.set(samples.inputs.subarray(row * size, (row + 1) * size), i * size);
  });
  return {
    ids: rows.map((row) => samples.ids[row]),
    inputs,
    labels: Uint32Array.from(rows, (row) => samples.labels[row]),
  };
}
