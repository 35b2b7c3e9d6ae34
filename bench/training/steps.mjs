/**
 * Assay's half of steps.py: says where it has written the net, then for each line `train N` or `attack N` takes so many
 * steps and answers with the seconds they took, by the clock and of processor time.
 *
 *     npm run build && node bench/training/steps.mjs NET.onnx BATCH
 */

import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { digits, size } from '../digits.mjs';

const require = createRequire(import.meta.url);
const built = (file) => require(`../../dist/core/${file}`);
const { attacks, openClassifier } = built('attacks/index.js');
const { builtInParametersSchema } = built('spec/index.js');
const { layeredNetwork } = built('training/built-in/layered-network.js');
const { optimize } = built('training/built-in/optimize.js');

const [, , file, batch] = process.argv;
const batchSize = Number(batch);
const layers = { channels: [16, 32], kernel: [4, 4], stride: [2, 2], padding: [1, 1], hidden: [100] };
const parameters = builtInParametersSchema.parse({
  network: { kind: 'cnn', ...layers },
  epochs: 10_000,
  batchSize,
  learningRate: 0.001,
});
const network = layeredNetwork(parameters.network, [1, 28, 28], 10);
const theta = network.initial(1);
const [minimum, maximum] = [new Float32Array(size), new Float32Array(size).fill(1)];
const samples = digits(0, batchSize);
writeFileSync(file, network.encode(theta));
const classifier = await openClassifier(network.encode(theta), [1, 28, 28]);
// Labels that the untrained net predicts, in a ball too small to change them: every sample climbs to the end.
const logits = await classifier.logits(samples.inputs, batchSize);
const labels = Uint32Array.from({ length: batchSize }, (_, row) => {
  const scores = logits.subarray(10 * row, 10 * row + 10);
  return scores.indexOf(Math.max(...scores));
});
const threat = { norm: 'linf', epsilon: 1e-4, minimum, maximum };

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
/** Answers with what was measured since `began`, and waits for the next line. */
async function next(began) {
  if (began) {
    const { user, system } = process.cpuUsage(began.usage);
    const seconds = (performance.now() - began.at) / 1000;
    console.log(JSON.stringify({ seconds, cpuSeconds: (user + system) / 1e6 }));
  }
  const { value = 'end' } = await lines.next();
  const [what, count] = value.split(' ');
  return { what, count: Number(count), at: performance.now(), usage: process.cpuUsage() };
}

console.log(file);
let order = await next();
while (order.what !== 'end') order = order.what === 'train' ? await train(order) : await attack(order);
await classifier.close();
process.exit();

async function train(first) {
  let current = first;
  let left = first.count;
  const zeros = new Float32Array(network.count);
  const start = { done: 0, lossSum: 0, theta, firstMoment: zeros, secondMoment: zeros };
  const problem = {
    network,
    train: digits(0, 8500),
    validation: digits(8500, 9000),
    minimum,
    maximum,
    parameters,
  };
  const stop = new Error('another kind of step');
  await optimize({ ...problem, seed: 1 }, start, async () => {
    left -= 1;
    if (left > 0) return;
    current = await next(current);
    if (current.what !== 'train') throw stop;
    left = current.count;
  }).catch((error) => {
    if (error !== stop) throw error;
  });
  return current;
}

async function attack(current) {
  const options = { steps: current.count, restarts: 1, stepSize: 1e-5 };
  await attacks.pgd.run(classifier, { ...samples, labels }, threat, options, { seed: 1, batchSize });
  return next(current);
}
