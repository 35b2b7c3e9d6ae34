// Accuracy of the review model with sybils among the raters, defended and not: node bench/poisoning/sybils.mjs
// Four fifths of the batches are trained on, with labels of the attacked crowd; the others are tested on, with labels of the
// crowd as it is.
import { createRequire } from 'node:module';
import path from 'node:path';

const require = createRequire(import.meta.url);
const root = path.resolve(import.meta.dirname, '../../dist/core');
const { readFileSync } = require('node:fs');
const { readDescribedTable } = require(`${root}/data/index.js`);
const { parseLifecycle } = require(`${root}/spec/index.js`);
const { poisoningAttacks } = require(`${root}/poisoning/index.js`);
const { dawidSkene, judgeContributors, votesOf, voteShares } = require(`${root}/crowd/index.js`);
const { floatTensor, openSession } = require(`${root}/onnx/index.js`);
const { modelsOf } = require(`${root}/training/index.js`);

const example = path.resolve(import.meta.dirname, '../../examples/reviews');
const { data } = parseLifecycle(readFileSync(`${example}/lifecycle.yaml`), 'lifecycle.yaml');
const set = await readDescribedTable(path.join(example, data.source), data, 'all', {});
const { samples, minimum, maximum, shape, crowd, classes } = set;
const size = minimum.length;
const numberOf = (id) => Number(id.slice('movie-reviews-'.length)) - 1;
const isTest = (index) => Math.floor(numberOf(samples.ids[index]) / 60) % 5 === 0;
const all = [...samples.ids.keys()];
const part = (indices, labels) => ({
  ids: indices.map((index) => samples.ids[index]),
  inputs: Float32Array.from(
    indices.flatMap((index) => [...samples.inputs.subarray(index * size, (index + 1) * size)]),
  ),
  labels: Uint32Array.from(indices, (index) => labels[index]),
});
const train = all.filter((index) => !isTest(index));
const test = part(all.filter(isTest), samples.labels);
const suspected = { ...samples, minimum, maximum, shape, classes, crowd };
const labelsOf = (shares) => all.map((index) => (shares[2 * index + 1] > shares[2 * index] ? 1 : 0));

async function accuracy(labels) {
  const learned = part(train, labels);
  const { onnx } = await modelsOf(learned, { shape, classes: 2, minimum, maximum, seed: 1 }).embedding();
  const session = await openSession(onnx, { place: 'inline' });
  const results = await session.run({
    [session.inputNames[0]]: floatTensor([test.ids.length, ...shape], test.inputs),
  });
  const logits = results[session.outputNames[0]].data;
  await session.close();
  let right = 0;
  for (const [row, label] of test.labels.entries())
    if ((logits[2 * row + 1] > logits[2 * row] ? 1 : 0) === label) right += 1;
  return right / test.ids.length;
}

const attack = poisoningAttacks.find(({ name }) => name === 'sybil-raters');
console.log(`${train.length} sentences to train on, ${test.ids.length} to test on`);
console.log(
  '| sybils, % of votes | labels by | right labels, % | accuracy, % | recall of sybils, % | honest set aside, % |',
);
console.log('|---|---|---|---|---|---|');
for (const share of [0, 0.1, 0.2, 0.4]) {
  const attacked =
    share === 0
      ? { data: suspected, planted: new Set() }
      : attack.poison(suspected, { seed: 1, share, target: 0 });
  const { votes, contributors } = attacked.data.crowd;
  const judged = judgeContributors(votes, 0.01, 0.01);
  const isHeard = (who) => !judged.isUnreliable(who);
  const aside = contributors.filter((_, who) => !isHeard(who));
  const caught = aside.filter((name) => attacked.planted.has(name)).length;
  const ways = {
    majority: voteShares(votes),
    'Dawid–Skene': dawidSkene(votes).posterior,
    'Dawid–Skene after quarantine': dawidSkene(votesOf(votes, isHeard), { weights: judged.weights })
      .posterior,
  };
  for (const [name, shares] of Object.entries(ways)) {
    const labels = labelsOf(shares);
    const right = train.filter((index) => labels[index] === samples.labels[index]).length / train.length;
    const percent = (value) => (100 * value).toFixed(1);
    const found = name.includes('quarantine')
      ? `${share === 0 ? '–' : percent(caught / attacked.planted.size)} | ${percent((aside.length - caught) / (contributors.length - attacked.planted.size))}`
      : '– | –';
    console.log(
      `| ${100 * share} | ${name} | ${percent(right)} | ${percent(await accuracy(labels))} | ${found} |`,
    );
  }
}
