/**
 * What deep partition aggregation costs in accuracy, what it certifies, and what label flips do to it and to one network alone.
 *
 *     npm run build && node bench/poisoning/partitions.mjs
 */

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const require = createRequire(import.meta.url);
const { voteCertificate } = require('../../dist/core/certification/index.js');
const { floatTensor, openSession } = require('../../dist/core/onnx/index.js');
const { permutation, randomStream } = require('../../dist/core/random/index.js');
const { builtInParametersSchema } = require('../../dist/core/spec/index.js');
const builtIn = '../../dist/core/training/built-in';
const { layeredNetwork } = require(`${builtIn}/layered-network.js`);
const { optimize } = require(`${builtIn}/optimize.js`);
const { optimizePartitions } = require(`${builtIn}/partitions/optimize-partitions.js`);
const { votingNetwork } = require(`${builtIn}/partitions/voting-network.js`);

const radii = [1, 5, 10, 20];
const flips = [0, 0.05, 0.1, 0.2];
const examples = [
  { name: 'digits', label: 'label', classes: 10, scale: 16, shape: [1, 8, 8], counts: [0, 10, 50, 100] },
  { name: 'phishing', label: 'is_phishing', classes: 2, scale: 1, shape: [9], counts: [0, 10, 50, 100] },
];

for (const example of examples) {
  const { train, test } = read(example);
  console.log(`\n${example.name}: ${train.labels.length} training samples, ${test.labels.length} to test\n`);
  console.log(
    `| voters | accuracy | ${radii.map((radius) => `certified at ${radius}`).join(' | ')} | seconds | ${flips
      .slice(1)
      .map((share) => `accuracy, ${100 * share} % flipped`)
      .join(' | ')} |`,
  );
  console.log(`|${'---|'.repeat(3 + radii.length + flips.length - 1)}`);
  for (const count of example.counts) {
    const cells = [];
    for (const share of flips) {
      const begin = process.cpuUsage().user;
      const onnx = await trainOn(example, flipped(train, share, example.classes), count);
      const seconds = (process.cpuUsage().user - begin) / 1e6;
      const answers = await answersOf(onnx, test, example);
      const right = answers.map((row, i) => row.indexOf(Math.max(...row)) === test.labels[i]);
      const shareOf = (holds) =>
        (right.filter((is, i) => is && holds(answers[i])).length / right.length).toFixed(3);
      cells.push(shareOf(() => true));
      if (share > 0) continue;
      for (const radius of radii)
        cells.push(count === 0 ? '–' : shareOf((votes) => voteCertificate(votes).radius >= radius));
      cells.push(seconds.toFixed(1));
    }
    console.log(`| ${count || 'one network'} | ${cells.join(' | ')} |`);
  }
}

async function trainOn({ shape, classes }, train, count) {
  const parameters = builtInParametersSchema.parse({
    network: { kind: 'linear' },
    epochs: 30,
    batchSize: 16,
    learningRate: 0.01,
    ...(count > 0 && { partitions: { count, seed: 7 } }),
  });
  const base = layeredNetwork(parameters.network, shape, classes);
  const network = count > 0 ? votingNetwork(base, count) : base;
  const size = shape.reduce((product, length) => product * length, 1);
  const none = { ids: [], inputs: new Float32Array(0), labels: new Uint32Array(0) };
  const range = { minimum: new Float32Array(size), maximum: new Float32Array(size).fill(1) };
  const problem = { network, train, validation: none, ...range, parameters, seed: 1 };
  const theta = network.initial(1);
  const zeros = new Float32Array(theta.length);
  const start = { done: 0, lossSum: 0, theta, firstMoment: zeros, secondMoment: zeros };
  const run = count > 0 ? optimizePartitions : optimize;
  return network.encode((await run(problem, start, async () => {})).theta);
}

async function answersOf(onnx, { inputs, labels }, { shape, classes }) {
  const session = await openSession(onnx, { place: 'inline' });
  const feeds = { [session.inputNames[0]]: floatTensor([labels.length, ...shape], inputs) };
  const { data } = (await session.run(feeds))[session.outputNames[0]];
  await session.close();
  return Array.from(labels, (_, i) => Array.from(data.slice(i * classes, (i + 1) * classes)));
}

/** Labels of a random share of the samples become other ones. */
function flipped(train, share, classes) {
  const order = permutation(randomStream(5, 'flip'), train.labels.length);
  const labels = train.labels.slice();
  for (const index of order.slice(0, Math.round(share * labels.length)))
    labels[index] = (labels[index] + 1) % classes;
  return { ...train, labels };
}

function read({ name, label, scale }) {
  const file = path.resolve(import.meta.dirname, `../../examples/${name}/${name}.csv`);
  const [header, ...rows] = readFileSync(file, 'utf8')
    .trim()
    .split(/\r?\n/)
    .map((line) => line.split(','));
  const at = header.indexOf(label);
  const columns = header.flatMap((column, index) => (column === 'id' || index === at ? [] : [index]));
  const order = permutation(randomStream(3, 'split'), rows.length);
  const part = (indices) => ({
    ids: Array.from(indices, (row) => rows[row][0]),
    inputs: Float32Array.from(
      Array.from(indices).flatMap((row) => columns.map((column) => rows[row][column] / scale)),
    ),
    labels: Uint32Array.from(indices, (row) => Number(rows[row][at])),
  });
  const cut = Math.round(0.7 * rows.length);
  return { train: part(order.slice(0, cut)), test: part(order.slice(cut)) };
}
