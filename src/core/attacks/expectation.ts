import { createHash } from 'node:crypto';
import { RefusedError } from '../errors/index.js';
import type { Axis, Feeds, NoiseDistribution, NoiseInput, Tensor } from '../onnx/index.js';
import { normalField, randomStream } from '../random/index.js';
import type { Classifier } from './attack.js';

/** How a randomised model is attacked: through the mean of so many draws. */
export interface Expectation {
  /** Of the model's noise, at each point that is looked at. */
  readonly draws: number;
  /** Keys the draws, together with the point. */
  readonly seed: number;
}

/** The noise of some rows of a run, by the names of the model's noise inputs. */
export type NoiseOf = (rows: readonly number[]) => Feeds;

/** A classifier that is told what to draw: each method as that of {@link Classifier}, of one draw. */
export interface DrawnClassifier
  extends Pick<Classifier, 'shape' | 'classes' | 'gradientObstacle' | 'close'> {
  logits(inputs: Float32Array, n: number, noise: NoiseOf): Promise<Float32Array>;
  lossGradient(
    inputs: Float32Array,
    labels: Uint32Array,
    n: number,
    noise: NoiseOf,
  ): Promise<{ readonly loss: Float32Array; readonly gradient: Float32Array; readonly logits: Float32Array }>;
  logitGradient(
    inputs: Float32Array,
    weights: Float32Array,
    n: number,
    noise: NoiseOf,
  ): Promise<Float32Array>;
}

/**
 * The mean logit by which a misclassification of the mean must stand out, where the gap between the two largest logits is
 * about 10. A mean that is just wrong is right in half of the draws, and an attack that stops there has broken nothing.
 */
const CERTAINTY = 3;

/**
 * Expectation over transformation: a randomised model as the mean of its logits, losses and gradients over several draws of
 * its noise. A single draw's gradient is that of one model among many, and may point anywhere; the mean is the gradient of
 * what the model does on average.
 *
 * Draws are keyed by the seed, the values of the point, and their number. A point is where a sample, an attack, a restart and
 * an iteration have led; so every iteration has draws of its own, whatever the batch, the order and the shard, and whoever
 * looks at the same point again sees the same. Noise that the model draws for a whole batch is drawn for each point alone.
 *
 * Source: Athalye, Engstrom, Ilyas, Kwok, "Synthesizing robust adversarial examples", ICML 2018, section 2.1; for defences,
 * Athalye, Carlini, Wagner, "Obfuscated gradients give a false sense of security", ICML 2018, section 4.2.
 *
 * @param noise - the model's noise inputs
 * @param batch - first axis of the model's input
 * @throws RefusedError `operator-unsupported` where the lengths of the noise depend on more than the batch
 */
export function expectationOf(
  model: DrawnClassifier,
  noise: readonly NoiseInput[],
  batch: Axis,
  { draws, seed }: Expectation,
): Classifier {
  const sources = noise.map((input) => sourceOf(input, batch));
  const single = typeof batch === 'number';
  const fresh = { together: !single && sources.every(({ perRow }) => perRow), keyOf: digestOfPoint };
  const fixed = { together: !single, keyOf: () => 'fixed' };
  const drawn = (keys: readonly string[], draw: number): NoiseOf => {
    const feeds = sources.map((source) => [source.name, source.draw(seed, keys, draw)] as const);
    return (rows) => Object.fromEntries(feeds.map(([name, take]) => [name, take(rows)]));
  };
  const size = model.shape.reduce((product, axis) => product * axis, 1);

  const classifierOf = (
    { together, keyOf }: typeof fresh,
    more: Pick<Classifier, 'randomness'>,
  ): Classifier => {
    /** The mean over all draws of what one run gives, row by row. */
    const meanOf = async (
      inputs: Float32Array,
      n: number,
      run: (from: number, to: number, noise: NoiseOf) => Promise<readonly Float32Array[]>,
    ): Promise<readonly Float32Array[]> => {
      const keys = Array.from({ length: n }, (_, row) =>
        keyOf(inputs.subarray(row * size, (row + 1) * size)),
      );
      const parts = together ? [[0, n] as const] : keys.map((_, row) => [row, row + 1] as const);
      const means: Float32Array[][] = [];
      for (const [from, to] of parts) {
        let sums: Float64Array[] = [];
        for (let draw = 0; draw < draws; draw++) {
          const results = await run(from, to, drawn(keys.slice(from, to), draw));
          if (draw === 0) sums = results.map(({ length }) => new Float64Array(length));
          for (const [i, result] of results.entries()) {
            const sum = sums[i]!;
            for (let at = 0; at < sum.length; at++) sum[at]! += result[at]!;
          }
        }
        means.push(sums.map((sum) => Float32Array.from(sum, (value) => value / draws)));
      }
      return (means[0] ?? []).map((_, i) => joined(means.map((part) => part[i]!)));
    };
    const { classes } = model;
    const empty = new Float32Array();
    return {
      shape: model.shape,
      classes,
      ...(model.gradientObstacle !== undefined && { gradientObstacle: model.gradientObstacle }),
      async logits(inputs, n) {
        const [logits = empty] = await meanOf(inputs, n, async (from, to, noise) => [
          await model.logits(inputs.subarray(from * size, to * size), to - from, noise),
        ]);
        return logits;
      },
      async lossGradient(inputs, labels, n) {
        const [loss = empty, gradient = empty, logits = empty] = await meanOf(
          inputs,
          n,
          async (from, to, noise) => {
            const points = inputs.subarray(from * size, to * size);
            const one = await model.lossGradient(points, labels.subarray(from, to), to - from, noise);
            return [one.loss, one.gradient, one.logits];
          },
        );
        return { loss, gradient, logits };
      },
      async logitGradient(inputs, weights, n) {
        const [gradient = empty] = await meanOf(inputs, n, async (from, to, noise) => [
          await model.logitGradient(
            inputs.subarray(from * size, to * size),
            weights.subarray(from * classes, to * classes),
            to - from,
            noise,
          ),
        ]);
        return gradient;
      },
      close: () => model.close(),
      ...more,
    };
  };
  return classifierOf(fresh, {
    randomness: {
      certainty: CERTAINTY,
      fixed: classifierOf(fixed, {}),
      async drawn(input, count) {
        const answers: Float32Array[] = [];
        for (let draw = 0; draw < count; draw++) {
          answers.push(await model.logits(input, 1, drawn([`answer/${digestOfPoint(input)}`], draw)));
        }
        return joined(answers);
      },
    },
  });
}

/** Where the numbers of one noise input come from. */
interface Source {
  readonly name: string;
  /** Whether each row of a batch has noise of its own. */
  readonly perRow: boolean;
  /** @param keys - of the rows; noise for a whole batch is the first row's */
  draw(seed: number, keys: readonly string[], draw: number): (rows: readonly number[]) => Tensor;
}

function sourceOf({ name, dims, distribution }: NoiseInput, batch: Axis): Source {
  const perRow = typeof batch === 'string' && dims[0] === batch;
  const lengths = perRow ? dims.slice(1) : dims;
  if (!lengths.every((axis): axis is number => typeof axis === 'number')) {
    throw new RefusedError(
      'operator-unsupported',
      `noise ${name}: expected lengths that are known but for the batch, got [${dims.join(', ')}]`,
    );
  }
  const length = lengths.reduce((product, axis) => product * axis, 1);
  return {
    name,
    perRow,
    draw(seed, keys, draw) {
      const values = (perRow ? keys : keys.slice(0, 1)).map((key) =>
        numbersOf(distribution, length, seed, ['noise', key, name, draw]),
      );
      return (rows) => {
        const chosen = perRow ? rows.map((row) => values[row]!) : values;
        return { type: 'float', dims: perRow ? [rows.length, ...lengths] : lengths, data: joined(chosen) };
      };
    },
  };
}

function numbersOf(
  distribution: NoiseDistribution,
  length: number,
  seed: number,
  path: readonly (string | number)[],
): Float32Array {
  if (distribution.kind === 'normal') {
    const normals = new Float64Array(length);
    normalField(seed, ...path).fill(normals, 0);
    return Float32Array.from(normals, (value) => distribution.mean + distribution.scale * value);
  }
  const { low, high } = distribution;
  const stream = randomStream(seed, ...path);
  return Float32Array.from({ length }, () => {
    const value = Math.fround(low + stream.uniform() * (high - low));
    // Rounding may have reached what a uniform draw never does.
    return value < high ? value : low;
  });
}

function digestOfPoint(point: Float32Array): string {
  const bytes = new Uint8Array(point.buffer, point.byteOffset, point.byteLength);
  return createHash('sha256').update(bytes).digest('hex');
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const [first] = parts;
  if (parts.length === 1 && first) return first;
  const all = new Float32Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
