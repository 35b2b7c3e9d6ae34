import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { readSplit } from '../core/data/index.js';
import { learnProfile, type Profile, secretProjection, softmax } from '../core/serving/index.js';
import type { ModelCard, ServedSmoothing } from '../core/spec/index.js';
import type { Store } from '../core/store/index.js';
import { logitsOf } from './logits.js';
import { smoothedAnswers } from './smoothed-answers.js';
import type { ModelLease } from './warm-models.js';

/** Learns what honest requests to a model look like, from the validation samples of its snapshot, which its chain names. */
export type LearnRelease = (card: ModelCard, lease: ModelLease) => Promise<Profile>;

const BATCH = 256;
/** Who runs the model to learn: no client can have this name. */
const LEARNER = '';
/** A vote takes many runs of the model. */
const MOST_SMOOTHED = 200;

/** @param secret - of the projection: unknown to clients */
export function learnRelease(store: Pick<Store, 'fetchTree'>, secret: string): LearnRelease {
  return async (card, lease) => {
    const folder = await mkdtemp(path.join(tmpdir(), 'assay-gateway-'));
    try {
      const snapshot = path.join(folder, 'snapshot');
      await store.fetchTree(card.snapshot, snapshot);
      const { ids, inputs } = await readSplit(snapshot, 'validation');
      const margins = card.smoothing
        ? await smoothedMargins(card, lease, card.smoothing, inputs, Math.min(ids.length, MOST_SMOOTHED))
        : await plainMargins(card, lease, inputs, ids.length);
      const known = inputs.subarray(0, (inputs.length / Math.max(1, ids.length)) * margins.length);
      const { minimum, maximum } = card.input;
      const project = secretProjection(Float32Array.from(minimum), Float32Array.from(maximum), secret);
      return learnProfile(known, margins, project);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  };
}

async function plainMargins(
  card: ModelCard,
  { run }: ModelLease,
  inputs: Float32Array,
  n: number,
): Promise<Float64Array> {
  const size = inputs.length / Math.max(1, n);
  const classes = card.output.classes.length;
  const margins = new Float64Array(n);
  for (let from = 0; from < n; from += BATCH) {
    const count = Math.min(BATCH, n - from);
    const logits = await logitsOf(
      (feeds) => run(feeds, LEARNER),
      card,
      count,
      inputs.slice(from * size, (from + count) * size),
    );
    for (let i = 0; i < count; i++) {
      margins[from + i] = marginOf(softmax(logits.subarray(i * classes, (i + 1) * classes)));
    }
  }
  return margins;
}

/** Margins of votes, 0 where the classifier abstains: what clients' requests are held against. */
async function smoothedMargins(
  card: ModelCard,
  { run }: ModelLease,
  smoothing: ServedSmoothing,
  inputs: Float32Array,
  n: number,
): Promise<Float64Array> {
  const size = card.input.minimum.length;
  const logits = (values: Float32Array, count: number) =>
    logitsOf((feeds) => run(feeds, LEARNER), card, count, values);
  const noise = { secret: 'honest', model: card.snapshot };
  const votes = await smoothedAnswers(logits, card, smoothing, noise, n, inputs.slice(0, n * size));
  return Float64Array.from(votes, ({ predicted, shares }) =>
    predicted < 0 ? 0 : marginOf(Float64Array.from(shares)),
  );
}

/** The largest value less the second; at least two values. */
export function marginOf(probabilities: Float64Array): number {
  const [second, largest] = probabilities.slice().sort().slice(-2);
  return largest! - second!;
}
