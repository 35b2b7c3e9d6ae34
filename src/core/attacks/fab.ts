import type { Attack, AttackContext, AttackResult, Classifier, Samples, ThreatModel } from './attack.js';
import { gatherRows, joinRows } from './batches.js';
import { distance } from './distance.js';
import { moveToHyperplane } from './hyperplane.js';
import { margin } from './losses.js';
import { isMisclassified } from './predict.js';
import { feasible, project, type Reach } from './projection.js';
import {
  climbInRestarts,
  keepStronger,
  lookAtOriginals,
  openSearch,
  type Search,
  uniformStart,
} from './search.js';
import { likeliestOthers } from './targets.js';
import { allowedBox, insideThreatModel } from './threat-model.js';

export interface FabOptions {
  /** Steps of one restart. */
  readonly steps: number;
  /** The first starts at the sample, later ones at a random point near it; each attacks only what is still standing. */
  readonly restarts: number;
}

export interface FabTargetedOptions extends FabOptions {
  /** How many other classes to approach, one after the other, the likeliest first. */
  readonly targets: number;
}

/** Largest share of the step from the sample itself, which draws the walk back towards it. */
const ALPHA_MAX = 0.1;
/** Overshoot beyond the hyperplane, so that the point lands on its far side. */
const ETA = 1.05;
/** From a misclassified point, how much of the way from the sample is kept. */
const BETA = 0.9;
/** Radius of the random starts, in parts of ε. */
const START_RADIUS = 0.5;
/** Halvings of the last stretch between the sample and the nearest misclassified point. */
const FINAL_HALVINGS = 3;

/**
 * The fast adaptive boundary attack: looks for the *nearest* misclassified point, in the threat model's norm, and breaks a
 * sample where that lies inside the ball. Each step goes to where the decision boundary would be if the model were linear,
 * seen from the point and seen from the sample; it needs no loss and no step size, and no scale of the logits matters.
 *
 * Approaches the class whose boundary is nearest at each step, at one gradient a class.
 *
 * Source: Croce, Hein, "Minimally distorted adversarial examples with a fast adaptive boundary attack", ICML 2020,
 * section 2 and algorithm 1.
 */
export const fab: Attack<FabOptions> = {
  name: 'fab',
  run: (classifier, samples, threat, options, context) =>
    walkToBoundary('fab', undefined, classifier, samples, threat, options, context),
};

/** {@link fab} towards one other class after the other, at one gradient a step. */
export const fabT: Attack<FabTargetedOptions> = {
  name: 'fab-t',
  run: (classifier, samples, threat, options, context) =>
    walkToBoundary('fab-t', options.targets, classifier, samples, threat, options, context),
};

async function walkToBoundary(
  name: string,
  targets: number | undefined,
  classifier: Classifier,
  samples: Samples,
  threat: ThreatModel,
  { steps, restarts }: FabOptions,
  context: AttackContext,
): Promise<AttackResult> {
  const search = openSearch(classifier, samples, threat, context);
  const near = { ...threat, epsilon: START_RADIUS * threat.epsilon };
  const startReach: Search = { ...search, threat: near, box: allowedBox(samples, near) };
  const { classes } = classifier;
  const nearest: Nearest = {
    points: samples.inputs.slice(),
    distances: new Float64Array(samples.ids.length).fill(Number.POSITIVE_INFINITY),
  };
  const others = new Map<number, readonly number[]>();
  await lookAtOriginals(search, async (batch, points) => {
    const logits = await classifier.logits(points, batch.length);
    keepInside(search, batch, points, logits);
    batch.forEach((index, row) => {
      const own = logits.subarray(row * classes, (row + 1) * classes);
      others.set(index, likeliestOthers(own, samples.labels[index]!, targets ?? classes - 1));
    });
  });
  const rounds = targets === undefined ? 1 : Math.max(1, Math.min(targets, classes - 1));
  const result = await climbInRestarts(search, restarts * rounds, (batch, restart) =>
    walk(
      search,
      nearest,
      batch.map((index) => ({
        index,
        classes: targets === undefined ? others.get(index)! : [others.get(index)![restart % rounds]!],
        point:
          restart < rounds
            ? row(search, search.samples.inputs, index).slice()
            : uniformStart(startReach, name, index, restart),
        nearest: undefined,
        distance: Number.POSITIVE_INFINITY,
      })),
      steps,
    ),
  );
  return { ...result, nearest: nearest.points };
}

/** The nearest misclassified point of each sample that any of its walks met. */
interface Nearest {
  readonly points: Float32Array;
  readonly distances: Float64Array;
}

/** One sample on its way to the boundary. */
interface Walker {
  readonly index: number;
  /** Classes whose boundary is looked for. */
  readonly classes: readonly number[];
  point: Float32Array;
  /** The nearest misclassified point, and how far it is. */
  nearest: Float32Array | undefined;
  distance: number;
}

async function walk(search: Search, nearest: Nearest, started: Walker[], steps: number): Promise<void> {
  const { samples, threat } = search;
  let walkers = started;
  for (let step = 0; step < steps && walkers.length > 0; step++) {
    const boundaries = await nearestBoundaries(search, walkers);
    walkers.forEach((walker, i) => {
      const boundary = boundaries[i]!;
      walker.point = stepTowards(search, walker, boundary.value, boundary.slopes);
    });
    const broken = await look(
      search,
      walkers,
      walkers.map(({ point }) => point),
    );
    walkers.forEach((walker, i) => {
      if (!broken[i]) return;
      const original = row(search, samples.inputs, walker.index);
      const length = distance(threat.norm, original, walker.point);
      if (length < walker.distance) [walker.nearest, walker.distance] = [walker.point, length];
      walker.point = walker.point.map((value, i) => original[i]! + BETA * (value - original[i]!));
    });
    walkers = walkers.filter(({ index }) => search.success[index] === 0);
  }
  await searchLastStretch(
    search,
    walkers.filter((walker) => walker.nearest !== undefined),
  );
  for (const walker of started) {
    if (!(walker.distance < nearest.distances[walker.index]!)) continue;
    nearest.distances[walker.index] = walker.distance;
    nearest.points.set(walker.nearest!, walker.index * search.size);
  }
}

/**
 * Between a sample and a misclassified point outside the ball, the boundary may lie nearer: halves the stretch a few times,
 * and looks at the point of the ball that is nearest to the last misclassified one.
 */
async function searchLastStretch(search: Search, walkers: readonly Walker[]): Promise<void> {
  if (walkers.length === 0) return;
  const ends = walkers.map(({ index, nearest }) => ({
    original: row(search, search.samples.inputs, index),
    nearest: nearest!,
    inner: 0,
    outer: 1,
  }));
  const between = ({ original, nearest }: (typeof ends)[number], part: number): Float32Array =>
    nearest.map((value, i) => original[i]! + part * (value - original[i]!));
  for (let halving = 0; halving < FINAL_HALVINGS; halving++) {
    const points = ends.map((end) => between(end, (end.inner + end.outer) / 2));
    const broken = await look(search, walkers, points);
    ends.forEach((end, i) => {
      const middle = (end.inner + end.outer) / 2;
      if (broken[i]) end.outer = middle;
      else end.inner = middle;
    });
  }
  walkers.forEach((walker, i) => {
    walker.nearest = between(ends[i]!, ends[i]!.outer);
    walker.distance *= ends[i]!.outer;
  });
  await look(
    search,
    walkers,
    walkers.map(({ index, nearest }) => project(search, index, nearest!)),
  );
}

/** For each walker, how far its logits are from the boundary that a linear model would have nearest, and the slopes. */
async function nearestBoundaries(
  search: Search,
  walkers: readonly Walker[],
): Promise<readonly { readonly value: number; readonly slopes: Float32Array }[]> {
  const { classifier, samples, threat, size, context } = search;
  context.signal?.throwIfAborted();
  const { classes } = classifier;
  const rows = walkers.flatMap((walker, i) => walker.classes.map((target) => ({ walker, i, target })));
  const logits = await classifier.logits(
    joinRows(
      size,
      walkers.map(({ point }) => point),
    ),
    walkers.length,
  );
  const weights = new Float32Array(rows.length * classes);
  rows.forEach(({ walker, target }, at) => {
    weights[at * classes + target] = 1;
    weights[at * classes + samples.labels[walker.index]!] = -1;
  });
  const points = joinRows(
    size,
    rows.map(({ walker }) => walker.point),
  );
  const gradient = await classifier.logitGradient(points, weights, rows.length);
  const found = walkers.map(() => ({
    value: 0,
    slopes: new Float32Array(size),
    away: Number.POSITIVE_INFINITY,
  }));
  rows.forEach(({ walker, i, target }, at) => {
    const slopes = gradient.slice(at * size, (at + 1) * size);
    const difference = logits[i * classes + target]! - logits[i * classes + samples.labels[walker.index]!]!;
    const value = difference - (classifier.randomness?.certainty ?? 0);
    const away = Math.abs(value) / dualLength(threat, slopes);
    if (away < found[i]!.away) found[i] = { value, slopes, away };
  });
  return found;
}

/** The length of slopes in the norm that measures how fast a function can change along moves of length 1. */
function dualLength({ norm }: ThreatModel, slopes: Float32Array): number {
  const dual = ({ linf: 'l1', l2: 'l2', l1: 'linf' } as const)[norm];
  return distance(dual, slopes, new Float32Array(slopes.length));
}

function stepTowards(search: Search, walker: Walker, value: number, slopes: Float32Array): Float32Array {
  const { samples, threat } = search;
  const { norm } = threat;
  const { point } = walker;
  const original = row(search, samples.inputs, walker.index);
  const fixed = threat.constraints?.fixed;
  const within = (bounds: Float32Array): Float32Array =>
    fixed ? bounds.map((bound, i) => (fixed[i] ? original[i]! : bound)) : bounds;
  const [minimum, maximum] = [within(threat.minimum), within(threat.maximum)];
  let fromSample = value;
  for (let i = 0; i < point.length; i++) fromSample += slopes[i]! * (original[i]! - point[i]!);
  const here = moveToHyperplane(norm, point, value, slopes, minimum, maximum);
  const there = moveToHyperplane(norm, original, fromSample, slopes, minimum, maximum);
  const nothing = new Float64Array(point.length);
  const [a, b] = [distance(norm, here, nothing), distance(norm, there, nothing)];
  const alpha = a + b === 0 ? 0 : Math.min(ALPHA_MAX, a / (a + b));
  const next = new Float32Array(point.length);
  for (let i = 0; i < next.length; i++) {
    const moved = (1 - alpha) * (point[i]! + ETA * here[i]!) + alpha * (original[i]! + ETA * there[i]!);
    next[i] = Math.min(maximum[i]!, Math.max(minimum[i]!, moved));
  }
  return next;
}

/** @returns whether the model misclassifies each point, inside the ball or not */
async function look(
  search: Search,
  walkers: readonly Walker[],
  points: readonly Float32Array[],
): Promise<readonly boolean[]> {
  const { classifier, samples, threat, size, context } = search;
  context.signal?.throwIfAborted();
  const indices = walkers.map(({ index }) => index);
  const all = joinRows(size, points);
  const logits = await classifier.logits(all, indices.length);
  keepInside(search, indices, all, logits);
  if (threat.constraints) {
    // Walkers go where only the boundary is; what counts is the nearest point that can be sent.
    const sent = joinRows(
      size,
      indices.map((index, at) => feasible(search, index, project(search, index, points[at]!))),
    );
    keepInside(search, indices, sent, await classifier.logits(sent, indices.length));
  }
  return indices.map((index, at) => isMisclassified(classifier, logits, at, samples.labels[index]!));
}

/** Keeps what is stronger among the points that the threat model allows. */
function keepInside(
  search: Search,
  indices: readonly number[],
  points: Float32Array,
  logits: Float32Array,
): void {
  const { classifier, samples, threat, size } = search;
  const inside = [...indices.keys()].filter((at) =>
    insideThreatModel(row(search, samples.inputs, indices[at]!), row(search, points, at), threat),
  );
  const kept = gatherRows(logits, classifier.classes, inside);
  const margins = inside.map((at, i) =>
    margin(
      kept.subarray(i * classifier.classes, (i + 1) * classifier.classes),
      samples.labels[indices[at]!]!,
    ),
  );
  keepStronger(
    search,
    inside.map((at) => indices[at]!),
    gatherRows(points, size, inside),
    margins,
    kept,
  );
}

function row({ size }: Reach, matrix: Float32Array, index: number): Float32Array {
  return matrix.subarray(index * size, (index + 1) * size);
}
