/**
 * Certified accuracy on test digits: by randomized smoothing (σ = 0.5, α = 0.001, n0 = 100) at four L2 radii, or by
 * interval bounds and CROWN at an L∞ radius.
 *
 *     npm run build && node bench/certification/mnist.mjs smoothing MODEL.onnx [samples] [n]
 *     npm run build && node bench/certification/mnist.mjs interval|crown MODEL.onnx [samples] [epsilon]
 *
 * Models come from bench/training/mnist.mjs: `gaussian` for smoothing, `ibp` for bounds. What abstains counts as wrong.
 */

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { digits, size } from '../digits.mjs';

const require = createRequire(import.meta.url);
const { openClassifier } = require('../../dist/core/attacks/index.js');
const { openCertifier } = require('../../dist/core/certification/index.js');

const [, , method, file, samples = '200', last] = process.argv;
const n = Number(last ?? 10_000);
const epsilon = Number(last ?? 0.3);
const onnx = readFileSync(file);
const shape = [1, 28, 28];
const classifier = await openClassifier(onnx, shape);
const model = {
  onnx,
  shape,
  classes: classifier.classes,
  minimum: new Float32Array(size),
  maximum: new Float32Array(size).fill(1),
  logits: classifier.logits,
};
const choice =
  method === 'smoothing'
    ? { method, norm: 'l2', epsilon: 0.5, smoothing: { sigma: 0.5, n, n0: 100, alpha: 0.001 } }
    : { method, norm: 'linf', epsilon };
const radii = method === 'smoothing' ? [0, 0.5, 1, 1.5] : [epsilon];
const test = digits(9000, 9000 + Number(samples));
const certifier = await openCertifier(model, choice, 1);
const before = process.cpuUsage();
const proven = [];
for (let i = 0; i < test.ids.length; i++) {
  const { predicted, radius } = await certifier.certify(
    test.inputs.slice(i * size, (i + 1) * size),
    test.ids[i],
  );
  proven.push(predicted === test.labels[i] ? radius : -1);
}
const { user, system } = process.cpuUsage(before);
await certifier.close();
await classifier.close();
const certified = radii.map((radius) => proven.filter((each) => each >= radius).length / proven.length);
console.log(
  JSON.stringify({
    method,
    samples: proven.length,
    ...(method === 'smoothing' && { sigma: 0.5, n }),
    radii,
    certified,
    cpuSeconds: (user + system) / 1e6,
  }),
);
