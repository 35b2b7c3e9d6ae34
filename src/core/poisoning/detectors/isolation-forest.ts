import { permutation, type RandomStream, randomStream } from '../../random/index.js';
import type { Detector } from '../detector.js';
import { robustTail } from '../robust-tail.js';

/** Trees and samples a tree, as in the source. */
const TREES = 200;
const SAMPLES = 256;
const EULER = 0.5772156649015329;

type Tree =
  | { readonly kind: 'leaf'; readonly samples: number }
  | {
      readonly kind: 'split';
      readonly at: number;
      readonly value: number;
      readonly below: Tree;
      readonly above: Tree;
    };

/**
 * Samples that random cuts soon leave alone. Of features that vary among the samples at hand, one is drawn, and a value
 * between its extremes.
 *
 * Source: Liu, Ting, Zhou, "Isolation forest", ICDM 2008; features that do not vary are passed over, as in its journal
 * version.
 */
export const isolationForest: Detector = {
  name: 'isolation-forest',
  looksFor: 'inputs that random cuts soon set apart',
  async detect(data, { seed, falseAlarmRate, signal }) {
    const { ids, inputs } = data;
    const size = data.minimum.length;
    const sample = Math.min(SAMPLES, ids.length);
    const depth = Math.ceil(Math.log2(Math.max(2, sample)));
    // Trees draw by rank of the id, so that the order of samples changes nothing.
    const ranked = [...ids.keys()].sort((one, other) => (ids[one]! < ids[other]! ? -1 : 1));
    const total = new Float64Array(ids.length);
    for (let tree = 0; tree < TREES; tree++) {
      signal?.throwIfAborted();
      const stream = randomStream(seed, 'isolation-forest', tree);
      const drawn = Array.from(permutation(stream, ids.length).subarray(0, sample), (rank) => ranked[rank]!);
      const root = grow(drawn, depth, inputs, size, stream);
      for (let index = 0; index < ids.length; index++)
        total[index]! += pathLength(root, inputs, index * size);
    }
    const usual = averagePath(sample);
    const scores = total.map((sum) => (usual > 0 ? 2 ** -(sum / TREES / usual) : 0));
    const threshold = robustTail(scores, falseAlarmRate);
    return {
      scores,
      threshold,
      reason: (index) =>
        `expected an anomaly score of at most ${threshold.toFixed(3)}, got ${scores[index]!.toFixed(3)} (1: a single cut sets it apart; 0.5: like others)`,
      figures: {},
    };
  },
};

function grow(
  members: readonly number[],
  depth: number,
  inputs: Float32Array,
  size: number,
  stream: RandomStream,
): Tree {
  const split = depth > 0 && members.length > 1 ? drawSplit(members, inputs, size, stream) : undefined;
  if (!split) return { kind: 'leaf', samples: members.length };
  const isBelow = (index: number): boolean => inputs[index * size + split.at]! < split.value;
  return {
    kind: 'split',
    ...split,
    below: grow(members.filter(isBelow), depth - 1, inputs, size, stream),
    above: grow(
      members.filter((index) => !isBelow(index)),
      depth - 1,
      inputs,
      size,
      stream,
    ),
  };
}

function drawSplit(
  members: readonly number[],
  inputs: Float32Array,
  size: number,
  stream: RandomStream,
): { readonly at: number; readonly value: number } | undefined {
  // A few draws find a feature that varies; where hardly any does, all are looked at.
  for (let attempt = 0; attempt < 16; attempt++) {
    const range = rangeOf(members, inputs, size, stream.integer(size));
    if (range) return cut(range, stream);
  }
  const varying = Array.from({ length: size }, (_, at) => rangeOf(members, inputs, size, at)).filter(
    (range) => range !== undefined,
  );
  return varying.length > 0 ? cut(varying[stream.integer(varying.length)]!, stream) : undefined;
}

interface Range {
  readonly at: number;
  readonly low: number;
  readonly high: number;
}

function rangeOf(
  members: readonly number[],
  inputs: Float32Array,
  size: number,
  at: number,
): Range | undefined {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const index of members) {
    const value = inputs[index * size + at]!;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low < high ? { at, low, high } : undefined;
}

/** A value above the lowest, so that both sides have members. */
function cut(
  { at, low, high }: Range,
  stream: RandomStream,
): { readonly at: number; readonly value: number } {
  return { at, value: high - stream.uniform() * (high - low) };
}

function pathLength(root: Tree, inputs: Float32Array, from: number): number {
  let node = root;
  for (let depth = 0; ; depth++) {
    if (node.kind === 'leaf') return depth + averagePath(node.samples);
    node = inputs[from + node.at]! < node.value ? node.below : node.above;
  }
}

/** Mean length of an unsuccessful search in a binary search tree: equation 1 of the source. */
function averagePath(samples: number): number {
  if (samples <= 1) return 0;
  if (samples === 2) return 1;
  return 2 * (Math.log(samples - 1) + EULER) - (2 * (samples - 1)) / samples;
}
