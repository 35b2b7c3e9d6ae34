/**
 * What bounds certify of small networks trained on examples/digits: plainly, by PGD and for interval bounds (IBP). By interval
 * arithmetic and by CROWN, with the processor time a sample takes, and how much of each bound rounding costs.
 *
 *     npm run build && node bench/certification/digits.mjs [epsilon] [samples]
 */

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const { layeredNetwork } = require('../../dist/core/training/built-in/layered-network.js');
const { optimize } = require('../../dist/core/training/built-in/optimize.js');
const { builtInParametersSchema } = require('../../dist/core/spec/index.js');
const { openClassifier } = require('../../dist/core/attacks/index.js');
const bounds = '../../dist/core/certification/bounds';
const { ballAround } = require(`${bounds}/ball.js`);
const { boundsOver } = require(`${bounds}/bounds-over.js`);
const { compileNetwork } = require(`${bounds}/compile.js`);
const { marginRows } = require(`${bounds}/margins.js`);

const epsilon = Number(process.argv[2] ?? 0.1);
const count = Number(process.argv[3] ?? 100);
const exactRuntime = { unit: 0, underflow: 0, largest: Number.MAX_VALUE };
const digits = readDigits();
const range = { minimum: new Float32Array(64), maximum: new Float32Array(64).fill(1) };
const ball = { norm: 'linf', epsilon };
const methods = {
  plain: undefined,
  pgd: { method: 'pgd', ...ball, steps: 7 },
  ibp: { method: 'ibp', ...ball, ramp: { epochs: 12 } },
};

for (const [name, adversarial] of Object.entries(methods)) {
  const onnx = await train(adversarial);
  const network = await compileNetwork(onnx, [1, 8, 8]);
  const classifier = await openClassifier(onnx, [1, 8, 8]);
  const test = part(1400, 1400 + count);
  const logits = await classifier.logits(test.inputs, count);
  const predicted = Array.from(test.labels, (_, i) => {
    const row = Array.from(logits.subarray(10 * i, 10 * i + 10));
    return row.indexOf(Math.max(...row));
  });
  const right = predicted.filter((label, i) => label === test.labels[i]).length;
  console.log(`${name}: clean accuracy ${(right / count).toFixed(3)}`);
  for (const method of ['interval', 'crown']) {
    const before = process.cpuUsage();
    const margins = predicted.map((label, i) => marginsOf(network, test, i, label, method));
    const { user } = process.cpuUsage(before);
    const certified = margins.filter(
      (least, i) => predicted[i] === test.labels[i] && least.every((margin) => margin > 0),
    ).length;
    const gaps = margins
      .flatMap((least, i) => {
        const ignorant = marginsOf(network, test, i, predicted[i], method, exactRuntime);
        return Array.from(least, (margin, c) => (ignorant[c] - margin) / (1 + Math.abs(margin)));
      })
      .sort((one, other) => one - other);
    const [median, most] = [gaps[gaps.length >> 1], gaps.at(-1)].map((gap) => gap.toExponential(1));
    console.log(
      `  ${method}: certified at ${epsilon}: ${(certified / count).toFixed(3)}, ${(user / 1000 / count).toFixed(1)} ms a sample, rounding costs ${median} of 1 + |margin| in the median, ${most} at most`,
    );
  }
  await classifier.close();
}

function marginsOf(network, { inputs }, i, label, method, arithmetic) {
  const sample = inputs.slice(64 * i, 64 * i + 64);
  return boundsOver(
    network,
    ballAround(sample, 'linf', epsilon, range),
    method,
    arithmetic,
  )(marginRows(10, label));
}

async function train(adversarial) {
  const parameters = builtInParametersSchema.parse({
    network: { kind: 'cnn', channels: [8, 16], hidden: [32] },
    batchSize: 32,
    epochs: 20,
    ...(adversarial && { adversarial }),
  });
  const network = layeredNetwork(parameters.network, [1, 8, 8], 10);
  const problem = {
    network,
    train: part(0, 1200),
    validation: part(1200, 1400),
    ...range,
    parameters,
    seed: 11,
  };
  const theta = network.initial(problem.seed);
  const nothing = () => new Float32Array(network.count);
  const start = { done: 0, lossSum: 0, theta, firstMoment: nothing(), secondMoment: nothing() };
  const { theta: trained } = await optimize(problem, start, async () => {});
  return network.encode(trained);
}

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
