import {
  type AttackContext,
  type AttackResult,
  attacks,
  type Classifier,
  distance,
  insideThreatModel,
  predictedClass,
  type Samples,
  type ThreatModel,
} from '../attacks/index.js';
import type { EvasionGateSpec } from '../spec/index.js';
import { attackExponent } from './attack-scale.js';
import { controlLimits } from './evasion-controls.js';
import {
  type AttackOutcome,
  type EvasionRow,
  isBrokenBy,
  isRobust,
  spares,
  sparingAttacks,
} from './evasion-row.js';
import type { EvidenceRow, GateSubject, Measurement } from './gate.js';
import { gradientAgreement } from './gradient-check.js';
import { sampleBytes, serveCleanly } from './serve-cleanly.js';

/** Samples in one run of the gradient graph: memory only, results do not depend on it. */
const BATCH_SIZE = 64;

/**
 * Attacks the model, cheapest first: its errors on clean samples, then FGSM, then PGD on all that is right as it is (also
 * on what FGSM broke, to see whether many steps do what one step does), then Auto-PGD with either loss on what many steps
 * have not broken, then Square on what nothing has, then the controls. Whatever an attack claims is looked at again alone,
 * in the serving session.
 */
export async function measureEvasion(
  spec: EvasionGateSpec,
  subject: GateSubject,
): Promise<Measurement<EvasionRow>> {
  const progress = (from: number, to: number) => (fraction: number) =>
    subject.onProgress?.(from + (to - from) * fraction);
  const clean = await serveCleanly(subject, progress(0, 0.05));
  const logitExponent = await attackExponent(subject);
  const classifier = await subject.openClassifier(logitExponent);
  try {
    if (classifier.gradientObstacle !== undefined) {
      return { rows: clean.map(notAttacked), obstacle: classifier.gradientObstacle };
    }
    const bench: Bench = { spec, subject, classifier, logitExponent };
    let attacked = await attackCorrect(bench, clean, progress(0.05, 0.45));
    for (const [i, name] of sparingAttacks.entries()) {
      const [from, to] = [0.45 + 0.15 * i, 0.45 + 0.15 * (i + 1)];
      attacked = await attackRemaining(bench, name, attacked, progress(from, to));
    }
    const unbounded = await attackUnbounded(bench, attacked, progress(0.9, 0.95));
    return { rows: await checkGraph(bench, unbounded, progress(0.95, 1)) };
  } finally {
    await classifier.close();
  }
}

interface Bench {
  readonly spec: EvasionGateSpec;
  readonly subject: GateSubject;
  readonly classifier: Classifier;
  /** The classifier's logits are the served ones, times 2 to this power. */
  readonly logitExponent: number;
}

type Progress = (fraction: number) => void;

function notAttacked(row: EvidenceRow): EvasionRow {
  return { ...row, attacks: null, unbounded: null, gradient: null, logitsDifference: null };
}

async function attackCorrect(
  bench: Bench,
  clean: readonly EvidenceRow[],
  progress: Progress,
): Promise<readonly EvasionRow[]> {
  const { spec, subject, classifier } = bench;
  const targets = positionsWhere(clean, ({ correct }) => correct);
  const samples = select(subject, targets);
  const threat = ballOf(subject, spec.epsilon);
  const context = (name: 'fgsm' | 'pgd', from: number, to: number): AttackContext =>
    attackContext(subject, announced(subject, name, targets.length, progress, from, to));
  const fgsm = await attacks.fgsm.run(classifier, samples, threat, {}, context('fgsm', 0, 0.1));
  const pgd = await attacks.pgd.run(
    classifier,
    samples,
    threat,
    pgdOptions(spec, spec.epsilon),
    context('pgd', 0.1, 0.9),
  );

  const rows = clean.map(notAttacked);
  for (const [i, position] of targets.entries()) {
    rows[position] = {
      ...rows[position]!,
      attacks: {
        fgsm: await recheck(subject, 'fgsm', samples, i, fgsm, threat),
        pgd: await recheck(subject, 'pgd', samples, i, pgd, threat),
        'apgd-ce': null,
        'apgd-dlr': null,
        square: null,
      },
    };
    progress(0.9 + (0.1 * (i + 1)) / targets.length);
  }
  return rows;
}

/** One more attack, on all that is right as it is but what others broke. */
async function attackRemaining(
  { spec, subject, classifier }: Bench,
  name: (typeof sparingAttacks)[number],
  rows: readonly EvasionRow[],
  progress: Progress,
): Promise<readonly EvasionRow[]> {
  const targets = positionsWhere(
    rows,
    ({ correct, attacks }) => correct && !isBrokenBy(spares[name], attacks),
  );
  const samples = select(subject, targets);
  const threat = ballOf(subject, spec.epsilon);
  const context = attackContext(subject, announced(subject, name, targets.length, progress, 0, 0.9));
  const result =
    name === 'square'
      ? await attacks.square.run(classifier, samples, threat, spec.square, context)
      : await attacks[name].run(classifier, samples, threat, spec.apgd, context);
  const attacked = [...rows];
  for (const [i, position] of targets.entries()) {
    const row = rows[position]!;
    const outcome = await recheck(subject, name, samples, i, result, threat);
    attacked[position] = { ...row, attacks: row.attacks && { ...row.attacks, [name]: outcome } };
    progress(0.9 + (0.1 * (i + 1)) / targets.length);
  }
  return attacked;
}

/** PGD, allowed to move anywhere in the valid range: what withstands *that* is not robust but unattacked. */
async function attackUnbounded(
  { spec, subject, classifier }: Bench,
  rows: readonly EvasionRow[],
  progress: Progress,
): Promise<readonly EvasionRow[]> {
  const targets = positionsWhere(rows, isRobust).slice(0, controlLimits.unboundedSamples);
  const samples = select(subject, targets);
  const epsilon = subject.maximum.reduce((most, high, i) => Math.max(most, high - subject.minimum[i]!), 0);
  const threat = ballOf(subject, epsilon);
  const options = pgdOptions(
    { ...spec, pgd: { steps: spec.pgd.steps, restarts: spec.pgd.restarts } },
    epsilon,
  );
  const result = await attacks.pgd.run(
    classifier,
    samples,
    threat,
    options,
    attackContext(subject, announced(subject, 'unbounded', targets.length, progress, 0, 1)),
  );
  const attacked = [...rows];
  for (const [i, position] of targets.entries()) {
    const { broken } = await recheck(subject, 'unbounded', samples, i, result, threat);
    attacked[position] = { ...rows[position]!, unbounded: broken };
  }
  return attacked;
}

/** Holds the gradient graph against the served model, and its gradients against finite differences. */
async function checkGraph(
  { spec, subject, classifier, logitExponent }: Bench,
  rows: readonly EvasionRow[],
  progress: Progress,
): Promise<readonly EvasionRow[]> {
  const { samples, seed, minimum, serve, signal } = subject;
  const threat = ballOf(subject, spec.epsilon);
  const checked: EvasionRow[] = [];
  for (const [index, row] of rows.entries()) {
    signal?.throwIfAborted();
    const one = select(subject, [index]);
    const served = await serve(sampleBytes(samples.inputs, minimum.length, index));
    const { logits } = await classifier.lossGradient(one.inputs, one.labels, 1);
    checked.push({
      ...row,
      logitsDifference: relativeDifference(logits, served, logitExponent),
      gradient:
        index < controlLimits.gradientSamples
          ? await gradientAgreement(classifier, samples, index, threat, seed)
          : null,
    });
    progress((index + 1) / rows.length);
  }
  return checked;
}

/**
 * Believes no attack, only the served model, given the bytes that a client would send: what it gets wrong is broken even
 * where the attack did not notice, and what it gets right is not, whatever the attack claims.
 */
async function recheck(
  { classes, minimum, serve, signal, onBroken }: GateSubject,
  attack: string,
  samples: Samples,
  index: number,
  { adversarial, success }: AttackResult,
  threat: ThreatModel,
): Promise<AttackOutcome> {
  signal?.throwIfAborted();
  const size = minimum.length;
  const original = samples.inputs.subarray(index * size, (index + 1) * size);
  const candidate = adversarial.subarray(index * size, (index + 1) * size);
  const prediction = predictedClass(await serve(sampleBytes(adversarial, size, index)), classes);
  const broken = prediction !== samples.labels[index] && insideThreatModel(original, candidate, threat);
  if (broken) onBroken?.({ attack, id: samples.ids[index]!, adversarial: candidate.slice(), prediction });
  return {
    claimed: success[index] === 1,
    broken,
    linf: distance('linf', original, candidate),
    prediction,
  };
}

function ballOf({ minimum, maximum }: GateSubject, epsilon: number): ThreatModel {
  return { norm: 'linf', epsilon, minimum, maximum };
}

function pgdOptions({ pgd }: EvasionGateSpec, epsilon: number) {
  return {
    steps: pgd.steps,
    restarts: pgd.restarts,
    stepSize: pgd.stepSize ?? (2.5 * epsilon) / pgd.steps,
  };
}

function attackContext({ seed, signal }: GateSubject, onProgress: Progress): AttackContext {
  return { seed, batchSize: BATCH_SIZE, onProgress, ...(signal ? { signal } : {}) };
}

/** The progress of one attack, as a part of the whole and for whoever watches the attacks. */
function announced(
  { onAttack }: GateSubject,
  attack: string,
  attacked: number,
  progress: Progress,
  from: number,
  to: number,
): Progress {
  onAttack?.({ attack, fraction: 0, attacked });
  return (fraction) => {
    progress(from + (to - from) * fraction);
    onAttack?.({ attack, fraction, attacked });
  };
}

function positionsWhere<Row>(rows: readonly Row[], holds: (row: Row) => boolean): readonly number[] {
  return rows.flatMap((row, position) => (holds(row) ? [position] : []));
}

function select({ samples, minimum }: GateSubject, positions: readonly number[]): Samples {
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

/** In parts of the largest served logit; 1 where either side is not finite, which no limit allows. */
function relativeDifference(logits: Float32Array, served: Float32Array, logitExponent: number): number {
  const largest = served.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const difference = served.reduce(
    (most, value, i) => Math.max(most, Math.abs(value - logits[i]! * 2 ** -logitExponent)),
    0,
  );
  const relative = difference === 0 ? 0 : difference / largest;
  return Number.isFinite(relative) ? relative : 1;
}
