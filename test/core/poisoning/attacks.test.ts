import { readFileSync } from 'node:fs';
import {
  detectors,
  type Inspection,
  inspect,
  type PoisoningAttack,
  poisoningAttacks,
  type SuspectData,
} from '../../../src/core/poisoning/index.js';
import { hashedNgrams } from '../../../src/core/text/index.js';
import { modelsOf } from '../../../src/core/training/index.js';
import { drawDigits } from './digits.js';

const attack = (name: string): PoisoningAttack => poisoningAttacks.find((known) => known.name === name)!;
const modelsFor = (data: SuspectData) => modelsOf(data, { ...data, classes: data.classes.length, seed: 1 });
const look = (name: string, data: SuspectData, models = modelsFor(data)): Promise<Inspection> =>
  inspect(detectors.find((detector) => detector.name === name)!, data, {
    seed: 1,
    falseAlarmRate: 0.01,
    ...models,
  });
const recall = ({ suspects }: Inspection, planted: ReadonlySet<string>): number =>
  suspects.filter(({ id }) => planted.has(id)).length / planted.size;

const clean = drawDigits(900, 11);
const cleanModels = modelsFor(clean);
const poisonedBy = async (name: string, target = 1) =>
  attack(name).poison(clean, { seed: 3, share: 0.04, target, embedding: await cleanModels.embedding() });

/** The first sentences of the review example, with labels by the sign of the mean rating. */
function readReviews(count: number): SuspectData {
  const features = { column: 'text', words: [1], characters: [], buckets: 64, maximumLength: 1000 };
  const rows = readFileSync('examples/reviews/reviews.jsonl', 'utf8')
    .split('\n')
    .filter((_, index) => index % 3 === 0)
    .slice(0, count)
    .map(
      (line) =>
        JSON.parse(line) as {
          readonly id: string;
          readonly text: string;
          readonly ratings: Record<string, number>;
        },
    );
  const texts = rows.map(({ text }) => text);
  return {
    ids: rows.map(({ id }) => id),
    inputs: Float32Array.from(texts.flatMap((text) => [...hashedNgrams(text, features)])),
    labels: Uint32Array.from(rows, ({ ratings }) =>
      Object.values(ratings).reduce((sum, rating) => sum + rating, 0) > 0 ? 1 : 0,
    ),
    minimum: new Float32Array(64),
    maximum: new Float32Array(64).fill(1),
    shape: [64],
    classes: ['negative', 'positive'],
    text: { texts, features },
  };
}

describe('a backdoor among digits', () => {
  it('is found as a class that small changes lead to, and as samples that a network which saw none calls another', async () => {
    const { data, planted } = await poisonedBy('bad-nets', 0);
    const models = modelsFor(data);
    const triggers = await look('trigger-search', data, models);
    expect(triggers.suspects[0]).toMatchObject({ id: '0' });
    expect(triggers.status).toBe('suspicious');
    const parts = await look('activation-clustering', data, models);
    expect(recall(parts, planted)).toBeGreaterThan(0.9);
    expect(parts.status).toBe('suspicious');
  });

  it('is not seen where there is none', async () => {
    for (const name of ['trigger-search', 'activation-clustering', 'mahalanobis', 'deep-neighbours']) {
      const { detector, status } = await look(name, clean, cleanModels);
      expect([detector, status]).toEqual([name, 'clean']);
    }
  });

  it('of a faint pattern is found by cuts that set it apart', async () => {
    const { data, planted } = await poisonedBy('blended');
    expect(recall(await look('isolation-forest', data), planted)).toBeGreaterThan(0.8);
  });
});

describe('other poison among digits', () => {
  it('that is wrong labels lies among another class', async () => {
    const { data, planted } = await poisonedBy('random-flips');
    expect(recall(await look('deep-neighbours', data), planted)).toBeGreaterThan(0.8);
  });

  it('that is copies is found as near-duplicates', async () => {
    const { data, planted } = await poisonedBy('flooding');
    expect(data.ids.length).toBe(936);
    expect(recall(await look('near-duplicates', data), planted)).toBeGreaterThan(0.95);
  });

  it('with right labels is moved to where the network sees one input of another class', async () => {
    const { data, planted } = await poisonedBy('feature-collision');
    expect(data.labels).toEqual(clean.labels);
    expect(recall(await look('near-duplicates', data), planted)).toBeGreaterThan(0.8);
  });
});

describe('poison among texts', () => {
  const reviews = readReviews(1200);

  it('that is a trigger word is found as a word that decides the label', async () => {
    const { data, planted } = attack('bad-nets').poison(reviews, { seed: 3, share: 0.04, target: 1 });
    const found = await look('association', data);
    expect(recall(found, planted)).toBe(1);
    expect(found.suspects[0]!.reason).toContain('"qxv"');
    expect((await look('association', reviews)).status).toBe('clean');
  });

  it('that is copies is found as near-duplicates', async () => {
    const { data, planted } = attack('flooding').poison(reviews, { seed: 3, share: 0.04, target: 1 });
    expect(recall(await look('near-duplicates', data), planted)).toBeGreaterThan(0.95);
    expect((await look('near-duplicates', reviews)).status).toBe('clean');
  });
});

it('every attack makes the same poison whatever the order of the samples', async () => {
  const embedding = await cleanModels.embedding();
  const n = clean.ids.length;
  const turned: SuspectData = {
    ...clean,
    ids: [...clean.ids].reverse(),
    labels: clean.labels.slice().reverse(),
    inputs: Float32Array.from(
      clean.ids.flatMap((_, i) => [...clean.inputs.subarray((n - 1 - i) * 64, (n - i) * 64)]),
    ),
  };
  for (const each of poisoningAttacks.filter(
    (known) => known.fits(clean) && known.name !== 'feature-collision',
  )) {
    const options = { seed: 5, share: 0.05, target: 2, embedding };
    const [one, other] = [each.poison(clean, options), each.poison(turned, options)];
    expect([each.name, [...other.planted].sort()]).toEqual([each.name, [...one.planted].sort()]);
  }
});
