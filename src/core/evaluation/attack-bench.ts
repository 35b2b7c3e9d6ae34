import {
  type AttackContext,
  type AttackResult,
  type Classifier,
  distance,
  type Expectation,
  insideThreatModel,
  type Samples,
  type ThreatModel,
} from '../attacks/index.js';
import { RefusedError } from '../errors/index.js';
import type { EvasionGateSpec } from '../spec/index.js';
import { adversaryConstraints } from './adversary.js';
import type { AttackOutcome } from './evasion-row.js';
import type { GateSubject } from './gate.js';
import { askServed } from './majority.js';
import { layoutOf } from './pictures/picture-of.js';
import { sampleBytes } from './serve-cleanly.js';

/** Samples in one run of the gradient graph: memory only, results do not depend on it. */
const BATCH_SIZE = 64;

/** A model under attack. */
export interface AttackBench {
  readonly spec: EvasionGateSpec;
  readonly subject: GateSubject;
  readonly classifier: Classifier;
  /** The classifier's logits are the served ones, times 2 to this power. */
  readonly logitExponent: number;
  /** How the classifier is averaged where it draws at random. */
  readonly expectation?: Expectation;
  /** What universal attacks learn from. */
  readonly lessons: Samples;
  /** The parent, where the suite attacks through it. */
  readonly surrogate?: Classifier;
}

export type Progress = (fraction: number) => void;

/** One attack on some of the subject's samples, every claim looked at again in the serving session. */
export interface Assault {
  /** As displays name it. */
  readonly name: string;
  /** Positions of the samples. */
  readonly targets: readonly number[];
  readonly threat: ThreatModel;
  /** Of a randomised model: how many answers each claim is looked at by; absent: one. */
  readonly answers?: number;
  run(samples: Samples, threat: ThreatModel, context: AttackContext): Promise<AttackResult>;
}

/** What an attack did to its targets, in their order. */
interface Aftermath {
  readonly outcomes: readonly AttackOutcome[];
  /** By how much the loss of each still rose in the last ten steps; NaN where it does not say. */
  readonly lateRise?: Float64Array;
}

/**
 * Runs an attack and believes nothing of it.
 *
 * @param seed - of its random draws
 */
export async function assault(
  subject: GateSubject,
  { name, targets, threat, run, answers }: Assault,
  progress: Progress,
  seed = subject.seed,
): Promise<Aftermath> {
  const { onAttack, signal } = subject;
  const samples = select(subject, targets);
  const onProgress = (fraction: number): void => {
    progress(0.9 * fraction);
    onAttack?.({ attack: name, fraction, attacked: targets.length });
  };
  onProgress(0);
  const result = await run(samples, threat, {
    seed,
    batchSize: BATCH_SIZE,
    onProgress,
    ...(signal ? { signal } : {}),
  });
  const outcomes: AttackOutcome[] = [];
  for (const i of targets.keys()) {
    outcomes.push(await recheck(subject, name, samples, i, result, threat, answers));
    progress(0.9 + (0.1 * (i + 1)) / targets.length);
  }
  progress(1);
  return { outcomes, ...(result.lateRise && { lateRise: result.lateRise }) };
}

/**
 * Believes no attack, only the served model, given the bytes that a client would send: what it gets wrong is broken even
 * where the attack did not notice, and what it gets right is not, whatever the attack claims.
 */
async function recheck(
  subject: GateSubject,
  attack: string,
  samples: Samples,
  index: number,
  { adversarial, success, nearest }: AttackResult,
  threat: ThreatModel,
  answers: number | undefined,
): Promise<AttackOutcome> {
  const { minimum, onBroken } = subject;
  const size = minimum.length;
  const original = samples.inputs.subarray(index * size, (index + 1) * size);
  const candidate = adversarial.subarray(index * size, (index + 1) * size);
  const bytes = sampleBytes(adversarial, size, index);
  const label = samples.labels[index]!;
  const { predicted: prediction, wrong } = await askServed(subject, bytes, label, answers);
  const broken = prediction !== label && insideThreatModel(original, candidate, threat);
  if (broken) onBroken?.({ attack, id: samples.ids[index]!, adversarial: candidate.slice(), prediction });
  return {
    claimed: success[index] === 1,
    broken,
    distance: distance(threat.norm, original, candidate),
    prediction,
    ...(answers !== undefined && { wrong }),
    ...(nearest && {
      nearest: await nearestDistance(
        subject,
        original,
        nearest.subarray(index * size, (index + 1) * size),
        label,
        threat,
        answers,
      ),
    }),
  };
}

/** How far the nearest misclassified input is that an attack met; null where the served model gets that one right. */
async function nearestDistance(
  subject: GateSubject,
  original: Float32Array,
  nearest: Float32Array,
  label: number,
  threat: ThreatModel,
  answers: number | undefined,
): Promise<number | null> {
  if (!insideThreatModel(original, nearest, { ...threat, epsilon: Number.MAX_VALUE })) return null;
  const bytes = sampleBytes(nearest, nearest.length, 0);
  const { predicted } = await askServed(subject, bytes, label, answers);
  return predicted === label ? null : distance(threat.norm, original, nearest);
}

/** How many answers each claim is looked at by, where the policy says it. */
export function answersOf({ randomised }: EvasionGateSpec): Pick<Assault, 'answers'> {
  return randomised ? { answers: randomised.answers } : {};
}

/**
 * The ball of the gate, and what its adversary respects.
 * @throws RefusedError `usage` when the adversary is to respect what nothing describes, or to cover a patch of what is no picture
 */
export function ballOf(
  {
    minimum,
    maximum,
    features,
    certifiable,
  }: Pick<GateSubject, 'minimum' | 'maximum' | 'features' | 'certifiable'>,
  { norm, epsilon, respects, patch }: EvasionGateSpec,
): ThreatModel {
  if (respects && !features) {
    throw new RefusedError(
      'usage',
      `expected a lifecycle that describes the data, for an adversary who respects ${respects.join(' and ')}`,
    );
  }
  const constraints = adversaryConstraints(features ?? [], respects);
  return {
    norm,
    epsilon,
    minimum,
    maximum,
    ...(constraints && { constraints }),
    ...(patch && { patch: patchOn(certifiable.shape, patch) }),
  };
}

function patchOn(
  shape: readonly number[],
  { height, width }: NonNullable<EvasionGateSpec['patch']>,
): NonNullable<ThreatModel['patch']> {
  const image = layoutOf(shape);
  if (!image || height > image.height || width > image.width) {
    throw new RefusedError(
      'usage',
      `expected samples that are pictures of at least ${height} × ${width} pixels, for an adversary who covers a patch of them, got the shape [${shape.join(', ')}]`,
    );
  }
  return {
    height,
    width,
    image: { height: image.height, width: image.width, interleaved: image.interleaved },
  };
}

/** A ball that holds the whole valid range, wherever its middle is; no constraint holds in it. */
export function ballOfEverything(subject: GateSubject, spec: EvasionGateSpec): ThreatModel {
  const { minimum, maximum } = subject;
  const widths = Float64Array.from(maximum, (high, i) => high - minimum[i]!);
  const epsilon = {
    linf: widths.reduce((most, width) => Math.max(most, width), 0),
    l2: Math.sqrt(widths.reduce((sum, width) => sum + width * width, 0)),
    l1: widths.reduce((sum, width) => sum + width, 0),
  }[spec.norm];
  return { norm: spec.norm, epsilon, minimum, maximum };
}

export function positionsWhere<Row>(rows: readonly Row[], holds: (row: Row) => boolean): readonly number[] {
  return rows.flatMap((row, position) => (holds(row) ? [position] : []));
}

/** The samples at some positions, in that order. */
export function select(
  { samples, minimum }: Pick<GateSubject, 'samples' | 'minimum'>,
  positions: readonly number[],
): Samples {
  const size = minimum.length;
  const inputs = new Float32Array(positions.length * size);
  positions.forEach((position, i) => {
    inputs.set(samples.inputs.subarray(position * size, (position + 1) * size), i * size);
  });
  return {
    ids: positions.map((position) => samples.ids[position]!),
    inputs,
    labels: Uint32Array.from(positions, (position) => samples.labels[position]!),
  };
}
