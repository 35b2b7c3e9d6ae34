// Detectors against attacks, and against clean twins: node bench/poisoning/table.mjs digits|reviews|phishing [TWINS] [ATTACKED]
// Prints one JSON line a look, then a table: recall and precision on planted poison (3 % of samples, 30 % of votes), and the
// share of honest samples that are flagged on clean twins, which are draws of the same data.
import { createRequire } from 'node:module';
import path from 'node:path';

const require = createRequire(import.meta.url);
const root = path.resolve(import.meta.dirname, '../../dist/core');
const { readDescribedTable } = require(`${root}/data/index.js`);
const { parseLifecycle } = require(`${root}/spec/index.js`);
const { detectors, inspect, poisoningAttacks } = require(`${root}/poisoning/index.js`);
const { permutation, randomStream } = require(`${root}/random/index.js`);
const { modelsOf } = require(`${root}/training/index.js`);
const { readFileSync } = require('node:fs');

const [name, twins = '20', attacked = '3', only] = process.argv.slice(2);
/** Samples of a twin, and how many of them an attacker changes. */
const sizes = { digits: 1200, phishing: 900, reviews: 1200 };
const SHARE = 0.03;
const VOTES = 0.3;
const RATE = 0.01;

const example = path.resolve(import.meta.dirname, '../../examples', name);
const { data } = parseLifecycle(readFileSync(`${example}/lifecycle.yaml`), 'lifecycle.yaml');
const block = data.text ? { ...data, text: { ...data.text, buckets: 1024 } } : data;
const all = await readDescribedTable(path.join(example, data.source), block, 'all', {});

/** A draw of the data; of a crowd's, whole batches. */
function twin(seed) {
  const n = all.samples.ids.length;
  const stream = randomStream(seed, 'twin');
  let picked = [...permutation(stream, n)].slice(0, sizes[name]);
  if (all.crowd) {
    const batchOf = new Map();
    all.crowd.votes.item.forEach((item, index) => {
      batchOf.set(item, all.crowd.contributors[all.crowd.votes.contributor[index]].split('.')[0]);
    });
    const batches = [...new Set(batchOf.values())];
    const chosen = new Set(
      [...permutation(stream, batches.length)].slice(0, sizes[name] / 30).map((i) => batches[i]),
    );
    picked = [...Array(n).keys()].filter((item) => chosen.has(batchOf.get(item)));
  }
  picked.sort((a, b) => a - b);
  const size = all.minimum.length;
  const position = new Map(picked.map((index, at) => [index, at]));
  const votes =
    all.crowd && [...all.crowd.votes.item.keys()].filter((i) => position.has(all.crowd.votes.item[i]));
  const names =
    all.crowd && [...new Set(votes.map((i) => all.crowd.votes.contributor[i]))].sort((a, b) => a - b);
  const rename = all.crowd && new Map(names.map((who, index) => [who, index]));
  return {
    ids: picked.map((i) => all.samples.ids[i]),
    inputs: Float32Array.from(
      picked.flatMap((i) => [...all.samples.inputs.subarray(i * size, (i + 1) * size)]),
    ),
    labels: Uint32Array.from(picked, (i) => all.samples.labels[i]),
    minimum: all.minimum,
    maximum: all.maximum,
    classes: all.classes,
    shape: all.shape,
    ...(all.text && { text: { features: all.text.features, texts: picked.map((i) => all.text.texts[i]) } }),
    ...(all.crowd && {
      crowd: {
        contributors: names.map((who) => all.crowd.contributors[who]),
        votes: {
          items: picked.length,
          classes: all.classes.length,
          contributors: names.length,
          item: Uint32Array.from(votes, (i) => position.get(all.crowd.votes.item[i])),
          contributor: Uint32Array.from(votes, (i) => rename.get(all.crowd.votes.contributor[i])),
          vote: Uint32Array.from(votes, (i) => all.crowd.votes.vote[i]),
        },
      },
    }),
  };
}

function contextOf(suspected, seed) {
  return {
    seed,
    falseAlarmRate: RATE,
    ...modelsOf(suspected, { ...suspected, classes: suspected.classes.length, seed }),
  };
}

const rows = [];
async function look(seed, attack, suspected, planted, kind, target) {
  const context = contextOf(suspected, seed);
  for (const detector of detectors) {
    if (only && !only.split(',').includes(detector.name)) continue;
    if (detector.lacks?.(suspected)) continue;
    const finds = detector.finds ?? 'samples';
    if (planted && (finds === 'contributors' || kind === 'contributors') && finds !== kind) continue;
    const started = process.cpuUsage().user;
    const { suspects, share, status, figures } = await inspect(detector, suspected, context);
    // Of classes, the one that the attacker wants is to be found.
    const sought = finds === 'classes' && planted ? new Set([String(suspected.classes[target])]) : planted;
    const hits = sought ? suspects.filter(({ id }) => sought.has(id)).length : 0;
    const row = {
      data: name,
      seed,
      attack,
      detector: detector.name,
      suspects: suspects.length,
      status,
      ...(planted && { recall: hits / sought.size, precision: suspects.length ? hits / suspects.length : 0 }),
      ...(!planted && { falseAlarms: share }),
      seconds: (process.cpuUsage().user - started) / 1e6,
      figures,
    };
    rows.push(row);
    console.log(JSON.stringify(row));
  }
}

for (let seed = 0; seed < Number(twins); seed++) {
  const clean = twin(seed);
  await look(seed, 'none', clean);
  if (seed >= Number(attacked)) continue;
  const target = seed % clean.classes.length;
  for (const attack of poisoningAttacks) {
    if (!attack.fits(clean)) continue;
    const share = attack.plants === 'contributors' ? VOTES : SHARE;
    const embedding =
      attack.name === 'feature-collision' ? await contextOf(clean, seed + 1000).embedding() : undefined;
    const { data: poisoned, planted } = attack.poison(clean, {
      seed,
      share,
      target,
      ...(embedding && { embedding }),
    });
    await look(seed, attack.name, poisoned, planted, attack.plants, target);
  }
}

const mean = (values) => (values.length ? values.reduce((a, b) => a + b, 0) / values.length : Number.NaN);
const percent = (value) => (Number.isNaN(value) ? '–' : `${(100 * value).toFixed(1)}`);
const attacks = [...new Set(rows.map(({ attack }) => attack))].filter((attack) => attack !== 'none');
console.log(`\n| ${name}: detector | flagged of clean, % | clean twins doubted | ${attacks.join(' | ')} |`);
console.log(`|---|---|---|${attacks.map(() => '---|').join('')}`);
for (const { name: detector } of detectors) {
  const of = (attack) => rows.filter((row) => row.detector === detector && row.attack === attack);
  const clean = of('none');
  if (clean.length === 0) continue;
  const cells = attacks.map((attack) => {
    const found = of(attack);
    return found.length === 0
      ? '–'
      : `${percent(mean(found.map(({ recall }) => recall)))} / ${percent(mean(found.map(({ precision }) => precision)))}`;
  });
  const doubted = clean.filter(({ status }) => status === 'suspicious').length;
  console.log(
    `| ${detector} | ${percent(mean(clean.map(({ falseAlarms }) => falseAlarms)))} | ${doubted} of ${clean.length} | ${cells.join(' | ')} |`,
  );
}
