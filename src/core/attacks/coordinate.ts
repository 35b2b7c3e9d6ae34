import { randomStream } from '../random/index.js';
import type { Attack } from './attack.js';
import { batchesOf, joinRows } from './batches.js';
import { type Edit, everyPoint, singleEdits, unitsOf } from './edits.js';
import { margin } from './losses.js';
import { isMisclassified } from './predict.js';
import { feasible } from './projection.js';
import {
  climbInRestarts,
  keepStronger,
  lookAtOriginals,
  openSearch,
  type Search,
  uniformStart,
} from './search.js';
import { insideThreatModel } from './threat-model.js';

export interface CoordinateOptions {
  /** Most edits of one climb. */
  readonly steps: number;
  /** The first climb starts at the sample, later ones at random points; each attacks only what is still standing. */
  readonly restarts: number;
  /** Where the adversary has no more points to choose from than this, all are tried, and no attack finds more. */
  readonly points: number;
}

/** Edits that the model is asked about in each step. */
const WIDTH = 32;
/** Points in one question: the first group with a misclassified one ends the search. */
const GROUP = 64;

/**
 * Greedy coordinate search, for data whose values come in steps and groups, where rounded gradients lead astray: each step
 * takes the edit of one value, or one group, that raises the margin most; in an L1 or L2 ball, also edits that take an
 * earlier one back. Gradients choose which edits are asked about; without them, all are, or as many as are drawn.
 *
 * A sample around which there are few points to choose from is settled by trying all of them, the nearest first.
 *
 * Sources: Papernot et al., "The limitations of deep learning in adversarial settings", EuroS&P 2016, for greedy edits by
 * gradient; Ballet et al., "Imperceptible adversarial attacks on tabular data", 2019, for the adversary of tables.
 */
export const coordinate: Attack<CoordinateOptions> = {
  name: 'coordinate',
  async run(classifier, samples, threat, { steps, restarts, points }, context) {
    const search = openSearch(classifier, samples, threat, context);
    await lookAtOriginals(search, async (batch, originals) => {
      const logits = await classifier.logits(originals, batch.length);
      keepStronger(search, batch, originals, margins(search, batch, logits), logits);
    });
    const settled = new Set<number>();
    return climbInRestarts(search, restarts, async (batch, restart) => {
      for (const index of batch) {
        if (settled.has(index)) continue;
        const all = restart === 0 ? everyPoint(search, index, points) : undefined;
        if (all) {
          settled.add(index);
          await tryAll(search, index, all);
        } else await climb(search, index, restart, steps);
      }
    });
  },
};

async function tryAll(search: Search, index: number, all: readonly Float32Array[]): Promise<void> {
  for (const group of batchesOf([...all.keys()], GROUP)) {
    if (search.success[index]) return;
    await ask(
      search,
      index,
      group.map((at) => all[at]!),
    );
  }
}

async function climb(search: Search, index: number, restart: number, steps: number): Promise<void> {
  const { samples, size, context, classifier, threat } = search;
  const original = samples.inputs.slice(index * size, (index + 1) * size);
  const units = unitsOf(search);
  let point =
    restart === 0 ? original : feasible(search, index, uniformStart(search, 'coordinate', index, restart));
  let { best, logits } = await ask(search, index, [point]);
  let height = best.margin;
  for (let step = 0; step < steps && search.success[index] === 0; step++) {
    const edits = singleEdits(search, index, units, point);
    const ranks = await ranked(search, index, point, logits);
    const stream = randomStream(context.seed, samples.ids[index]!, 'coordinate', restart, step + 1);
    const order = edits
      .map((edit) => ({ edit, rank: ranks ? ranks(edit) : stream.uniform() }))
      .sort((one, other) => other.rank - one.rank);
    const candidates: Float32Array[] = [];
    for (const { edit } of order) {
      if (candidates.length === WIDTH) break;
      const edited = point.slice();
      for (const [k, i] of edit.positions.entries()) edited[i] = edit.values[k]!;
      if (insideThreatModel(original, edited, threat)) candidates.push(edited);
    }
    if (candidates.length === 0) return;
    const answer = await ask(search, index, candidates);
    if (!(answer.best.margin > height)) return;
    ({ best } = answer);
    height = best.margin;
    point = candidates[best.row]!;
    logits = answer.logits.subarray(best.row * classifier.classes, (best.row + 1) * classifier.classes);
  }
}

/** By how much a linear model would raise the margin for each edit; undefined for a model without gradients. */
async function ranked(
  { classifier, samples, context }: Search,
  index: number,
  point: Float32Array,
  logits: Float32Array,
): Promise<((edit: Edit) => number) | undefined> {
  if (classifier.gradientObstacle !== undefined) return undefined;
  context.signal?.throwIfAborted();
  const label = samples.labels[index]!;
  const rival = logits.reduce(
    (most, value, c) => (c !== label && (most < 0 || value > logits[most]!) ? c : most),
    -1,
  );
  const weights = new Float32Array(classifier.classes);
  weights[label] = -1;
  if (rival >= 0) weights[rival] = 1;
  const slopes = await classifier.logitGradient(point, weights, 1);
  return ({ positions, values }) =>
    positions.reduce((sum, i, k) => {
      const rise = slopes[i]! * (values[k]! - point[i]!);
      return Number.isNaN(rise) ? sum : sum + rise;
    }, 0);
}

/** Asks the model about points of one sample, and keeps the first that breaks it, or the closest to that. */
async function ask(search: Search, index: number, points: readonly Float32Array[]) {
  const { classifier, samples, size, context } = search;
  context.signal?.throwIfAborted();
  const all = joinRows(size, points);
  const logits = await classifier.logits(all, points.length);
  const rows = points.map(() => index);
  const losses = margins(search, rows, logits);
  const broken = points.findIndex((_, row) =>
    isMisclassified(classifier, logits, row, samples.labels[index]!),
  );
  const kept = broken < 0 ? points.length : broken + 1;
  keepStronger(search, rows.slice(0, kept), all, losses, logits);
  const row = losses.reduce((most, loss, at) => (loss > losses[most]! ? at : most), 0);
  return { logits, best: { row, margin: losses[row]! } };
}

function margins(
  { classifier, samples }: Search,
  indices: readonly number[],
  logits: Float32Array,
): number[] {
  const { classes } = classifier;
  return indices.map((index, row) =>
    margin(logits.subarray(row * classes, (row + 1) * classes), samples.labels[index]!),
  );
}
