/**
 * After how many requests are thieves and attackers of a classifier of examples/digits noticed, and how often are honest clients?
 *
 *     npm run build && node bench/serving/watch.mjs
 */

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const { attacks, extractionAttacks, openClassifier } = require('../../dist/core/attacks/index.js');
const { permutation, randomStream } = require('../../dist/core/random/index.js');
const { learnProfile, secretProjection, softmax, watchRequest } = require('../../dist/core/serving/index.js');
const { imitate } = require('../../dist/core/training/index.js');

const shape = [1, 8, 8];
const falseAlarmRate = 0.001;
const digits = readDigits();
const range = { minimum: new Float32Array(64), maximum: new Float32Array(64).fill(1) };
const train = part(0, 900);
const targets = Float32Array.from({ length: 9000 }, (_, at) =>
  Number(train.labels[Math.floor(at / 10)] === at % 10),
);
const onnx = await imitate({ ...train, targets }, { shape, classes: 10, ...range, steps: 1500, seed: 1 });
const model = await openClassifier(onnx, shape);
const known = part(900, 1200);
const profile = learnProfile(
  known.inputs,
  Float64Array.from(await answers(known.inputs, 300), ({ margin }) => margin),
  secretProjection(range.minimum, range.maximum, 'a secret'),
);

// Honest clients ask about digits that nobody else has seen, with repetitions.
const honest = part(1200, 1797);
const honestAnswers = await answers(honest.inputs, 597);
const clients = 1000;
let accused = 0;
for (let client = 0; client < clients; client++) {
  const draws = randomStream(2, 'client', client);
  const asked = Array.from({ length: 300 }, () => draws.integer(597));
  const watch = watcher();
  for (const index of asked)
    watch(honest.inputs.subarray(64 * index, 64 * index + 64), honestAnswers[index].margin);
  if (watch.alarms.length > 0) accused++;
}
console.log(
  `honest: ${accused} of ${clients} clients accused after 300 requests each; promised: ${falseAlarmRate}`,
);

console.log('| who | requests | noticed after | by |\n|---|---|---|---|');
for (const name of ['square', 'hop-skip-jump']) {
  const target = part(1200, 1201);
  await report(`${name} on one digit`, async (spied) => {
    const attack = attacks[name];
    const threat = { norm: 'linf', epsilon: 0.15, ...range };
    await attack.run(spied, target, threat, { queries: 500 }, { seed: 3, batchSize: 1 });
  });
}
for (const attack of extractionAttacks) {
  await report(`${attack.name} with 500 queries`, async (spied) => {
    let remaining = 500;
    await attack.steal(
      {
        classes: 10,
        remaining: () => remaining,
        async ask(inputs, n) {
          remaining -= n;
          const logits = await spied.logits(inputs, n);
          const rows = Array.from({ length: n }, (_, i) => softmax(logits.subarray(10 * i, 10 * i + 10)));
          return {
            labels: Int32Array.from(rows, (row) => row.indexOf(Math.max(...row))),
            probabilities: Float64Array.from(rows.flatMap((row) => [...row])),
          };
        },
      },
      {
        owned: part(1200, 1400),
        shape,
        ...range,
        temperature: 1,
        seed: 5,
        imitate: (ids, inputs, soft) =>
          imitate({ ids, inputs, targets: soft }, { shape, classes: 10, ...range, steps: 200, seed: 5 }),
      },
    );
  });
}
await model.close();

/** Lets someone ask, one sample a request, and prints when they were noticed. */
async function report(who, act) {
  const watch = watcher();
  let requests = 0;
  let first;
  const spied = {
    ...model,
    async logits(inputs, n) {
      const logits = await model.logits(inputs, n);
      for (let i = 0; i < n; i++) {
        requests++;
        watch(inputs.subarray(64 * i, 64 * i + 64), marginOf(logits.subarray(10 * i, 10 * i + 10)));
        first ??= watch.alarms[0];
      }
      return logits;
    },
  };
  await act(spied);
  console.log(`| ${who} | ${requests} | ${first?.asked ?? '—'} | ${first?.sign ?? 'not noticed'} |`);
}

function watcher() {
  let suspicion;
  const now = new Date('2026-01-01T12:00:00Z');
  const alarms = [];
  const watch = (sample, margin) => {
    const seen = watchRequest(
      profile,
      suspicion,
      { point: profile.project(sample), margin },
      falseAlarmRate,
      now,
    );
    suspicion = seen.suspicion;
    alarms.push(...seen.alarms);
  };
  return Object.assign(watch, { alarms });
}

async function answers(inputs, n) {
  const logits = await model.logits(inputs, n);
  return Array.from({ length: n }, (_, i) => ({ margin: marginOf(logits.subarray(10 * i, 10 * i + 10)) }));
}

function marginOf(logits) {
  const [first, second] = Array.from(softmax(logits)).sort((a, b) => b - a);
  return first - second;
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
  // In the file, digits of one hand follow each other.
  const order = [...permutation(randomStream(7, 'order'), body.length)];
  const rows = order.map((index) => body[index]);
  const pixels = header.flatMap((name, column) => (/^p\d\d$/.test(name) ? [column] : []));
  return {
    ids: rows.map((row) => row[header.indexOf('id')]),
    inputs: Float32Array.from(rows.flatMap((row) => pixels.map((column) => Number(row[column]) / 16))),
    labels: Uint32Array.from(rows, (row) => Number(row[header.indexOf('label')])),
  };
}
