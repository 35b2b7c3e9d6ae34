import type { Attack } from './attack.js';
import { gatherRows } from './batches.js';
import {
  climbInRestarts,
  keepStronger,
  lookAtOriginals,
  openSearch,
  type Search,
  signOrZero,
  uniformStart,
} from './search.js';

export interface PgdOptions {
  /** Gradient steps of one restart. */
  readonly steps: number;
  /** Random starts; each later one attacks only what is still standing. */
  readonly restarts: number;
  /** L∞ length of one step, in the units that the model sees. */
  readonly stepSize: number;
}

/**
 * Projected gradient descent on the cross-entropy, from random starts, in sign steps. Every iterate is looked at, so a
 * sample is broken as soon as any of them is misclassified; of an unbroken one the iterate with the largest loss is kept.
 * A sample that the model gets wrong as it is counts as broken by itself.
 *
 * Source: Madry, Makelov, Schmidt, Tsipras, Vladu, "Towards deep learning models resistant to adversarial attacks",
 * ICLR 2018, section 2.1.
 */
export const pgd: Attack<PgdOptions> = {
  name: 'pgd',
  async run(classifier, samples, threat, options, context) {
    const search = openSearch(classifier, samples, threat, context);
    await lookAtOriginals(search, (batch, points) => look(search, batch, points));
    return climbInRestarts(search, options.restarts, (batch, restart) =>
      climb(search, options, restart, batch),
    );
  },
};

async function climb(
  search: Search,
  options: PgdOptions,
  restart: number,
  batch: readonly number[],
): Promise<void> {
  const { context, size } = search;
  let standing = batch;
  let points: Float32Array = new Float32Array(batch.length * size);
  batch.forEach((index, row) => {
    points.set(uniformStart(search, 'pgd', index, restart), row * size);
  });
  for (let iteration = 0; iteration <= options.steps && standing.length > 0; iteration++) {
    context.signal?.throwIfAborted();
    const gradient = await look(search, standing, points);
    const rows = standing.flatMap((index, row) => (search.success[index] === 0 ? [row] : []));
    const next = gatherRows(points, size, rows);
    rows.forEach((row, position) => {
      for (let i = 0; i < size; i++) {
        const at = standing[row]! * size + i;
        const moved = next[position * size + i]! + options.stepSize * signOrZero(gradient[row * size + i]!);
        next[position * size + i] = Math.min(
          search.box.upper[at]!,
          Math.max(search.box.lower[at]!, Math.fround(moved)),
        );
      }
    });
    standing = rows.map((row) => standing[row]!);
    points = next;
  }
}

/** Runs the model on one point a sample and keeps each point that is stronger than what its sample had. */
async function look(search: Search, indices: readonly number[], points: Float32Array): Promise<Float32Array> {
  const labels = Uint32Array.from(indices, (index) => search.samples.labels[index]!);
  const { loss, gradient, logits } = await search.classifier.lossGradient(points, labels, indices.length);
  keepStronger(search, indices, points, loss, logits);
  return gradient;
}
