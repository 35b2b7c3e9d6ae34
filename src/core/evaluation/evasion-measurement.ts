import type { Classifier } from '../attacks/index.js';
import {
  type AttackSpec,
  attacksThroughParent,
  type EvasionGateSpec,
  type SuiteAttackName,
  suiteOf,
} from '../spec/index.js';
import {
  type AttackBench,
  assault,
  ballOf,
  ballOfEverything,
  type Progress,
  positionsWhere,
  select,
} from './attack-bench.js';
import { attackExponent } from './attack-scale.js';
import { certifyBroken } from './certify-broken.js';
import { controlLimits } from './controls/limits.js';
import {
  type AttackOutcome,
  type EvasionRow,
  isBrokenBy,
  survivesGradients,
  survivesSuite,
} from './evasion-row.js';
import type { Block, EvidenceRow, GateSubject, Measurement, Resumption } from './gate.js';
import { gradientAgreement } from './gradient-check.js';
import { openSurrogate } from './open-surrogate.js';
import { searchPlanted } from './planted-example.js';
import { sampleBytes, serveCleanly } from './serve-cleanly.js';
import { applicable, runAttack, sparedBy, withKnowledge } from './suite-attacks.js';

/**
 * Attacks the model: its errors on clean samples first, then the suite, cheapest first, each attack on what those before
 * it left (see {@link sparedBy}), then the controls. Whatever an attack claims is looked at again alone, in the serving
 * session. What is done to a sample depends on the sample, its place in the draw and the model, and on no other sample's
 * fate: so blocks measured apart make the rows of the whole.
 */
export async function measureEvasion(
  spec: EvasionGateSpec,
  whole: GateSubject,
  block: Block = { from: 0, to: whole.samples.ids.length },
  resumption?: Resumption<EvasionRow>,
): Promise<Measurement<EvasionRow>> {
  const logitExponent = await attackExponent(whole.samples.ids.length, (index) => {
    whole.signal?.throwIfAborted();
    return whole.serve(sampleBytes(whole.samples.inputs, whole.minimum.length, index));
  });
  const positions = Array.from({ length: block.to - block.from }, (_, i) => block.from + i);
  const subject = { ...whole, samples: select(whole, positions) };
  const classifier = await subject.openClassifier(logitExponent);
  let surrogate: Classifier | undefined;
  try {
    const { gradientObstacle: obstacle } = classifier;
    const suite = applicable(suiteOf(spec), {
      gradients: obstacle === undefined,
      parent: whole.openParent !== undefined,
    });
    if (whole.openParent && attacksThroughParent(spec)) {
      surrogate = await openSurrogate(whole, whole.openParent);
    }
    const bench: AttackBench = { spec, subject, classifier, logitExponent, ...(surrogate && { surrogate }) };
    const steps: readonly Step[] = [
      { weight: 5, run: async (_rows, progress) => (await serveCleanly(subject, progress)).map(notAttacked) },
      ...suite.map((attack) => ({
        weight: 10,
        run: (before: readonly EvasionRow[], progress: Progress) =>
          attackRemaining(bench, attack, before, progress),
      })),
      ...(obstacle === undefined ? controlAttacks(bench, suite) : []),
      { weight: 10, run: (before, progress) => checkGraph(bench, suite, before, block.from, progress) },
      {
        weight: 5,
        run: async (before, progress) => {
          const certified = await certifyBroken(bench, before, block.from);
          progress(1);
          return certified;
        },
      },
    ];
    const rows = await takeSteps(steps, subject.onProgress, resumption);
    return { rows, ...(obstacle === undefined ? {} : { obstacle }) };
  } finally {
    await Promise.all([classifier.close(), surrogate?.close()]);
  }
}

/** A part of a measurement: rows in, the same rows with more known of them out. */
interface Step {
  /** Share of the work. */
  readonly weight: number;
  run(rows: readonly EvasionRow[], progress: Progress): Promise<readonly EvasionRow[]>;
}

function controlAttacks(bench: AttackBench, suite: readonly AttackSpec[]): readonly Step[] {
  return [
    { weight: 5, run: (rows, progress) => attackUnbounded(bench, rows, progress) },
    { weight: 10, run: (rows, progress) => attackLonger(bench, suite, rows, progress) },
    { weight: 10, run: (rows, progress) => attackRescaled(bench, suite, rows, progress) },
  ];
}

/** One step after the other, without those that were taken before an interruption. */
async function takeSteps(
  steps: readonly Step[],
  onProgress: Progress | undefined,
  resumption: Resumption<EvasionRow> | undefined,
): Promise<readonly EvasionRow[]> {
  const stages = progressOver(
    onProgress,
    steps.map(({ weight }) => weight),
  );
  const taken = resumption?.from?.steps ?? 0;
  let rows = resumption?.from?.rows ?? [];
  for (const [i, step] of steps.entries()) {
    const progress = stages();
    if (i < taken) continue;
    rows = await step.run(rows, progress);
    if (i + 1 < steps.length) await resumption?.keep({ steps: i + 1, rows });
  }
  return rows;
}

/** Hands out the parts of a progress, one after the other, by weight. */
function progressOver(onProgress: Progress | undefined, weights: readonly number[]): () => Progress {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let next = 0;
  return () => {
    const before = weights.slice(0, next).reduce((sum, weight) => sum + weight, 0);
    const weight = weights[next++]!;
    return (fraction) => onProgress?.((before + weight * fraction) / total);
  };
}

function notAttacked(row: EvidenceRow): EvasionRow {
  return {
    ...row,
    attacks: null,
    repeatable: true,
    unbounded: null,
    longer: null,
    rescaled: null,
    lateRise: null,
    gradient: null,
    planted: null,
    certified: null,
    logitsDifference: null,
  };
}

/** One attack of the suite, on all that is right as it is but what it is spared. */
async function attackRemaining(
  { spec, subject, classifier, surrogate }: AttackBench,
  attack: AttackSpec,
  rows: readonly EvasionRow[],
  progress: Progress,
): Promise<EvasionRow[]> {
  const name = attack.attack;
  const targets = positionsWhere(
    rows,
    ({ correct, attacks }) => correct && !isBrokenBy(sparedBy(name), attacks),
  );
  const { outcomes, lateRise } = await assault(
    subject,
    {
      name,
      targets,
      threat: ballOf(subject, spec),
      run: (samples, threat, context) =>
        runAttack(attack, classifier, samples, threat, { ...context, ...(surrogate && { surrogate }) }),
    },
    progress,
  );
  const placeOf = new Map(targets.map((position, i) => [position, i]));
  return rows.map((row, position) => {
    if (!row.correct) return row;
    const place = placeOf.get(position);
    const rise = place === undefined || !climbsCrossEntropy(name) ? Number.NaN : lateRise?.[place];
    return {
      ...row,
      attacks: { ...row.attacks, [name]: place === undefined ? null : outcomes[place]! },
      // What is not a number says nothing; the last attack that says something counts.
      lateRise: rise === undefined || Number.isNaN(rise) ? row.lateRise : rise,
    };
  });
}

/** Losses of other kinds have other units. */
function climbsCrossEntropy(name: SuiteAttackName): boolean {
  return name === 'pgd' || name === 'apgd-ce';
}

/** PGD, allowed to move anywhere in the valid range. */
async function attackUnbounded(
  { spec, subject, classifier }: AttackBench,
  rows: readonly EvasionRow[],
  progress: Progress,
): Promise<EvasionRow[]> {
  const { steps, restarts } = spec.pgd;
  const targets = positionsWhere(rows, survivesSuite);
  const { outcomes } = await assault(
    subject,
    {
      name: 'unbounded',
      targets,
      threat: ballOfEverything(subject, spec),
      run: (samples, threat, context) =>
        runAttack({ attack: 'pgd', steps, restarts }, classifier, samples, threat, context),
    },
    progress,
  );
  return withColumn(rows, 'unbounded', targets, outcomes);
}

/**
 * Twice as long and from other starts, the strongest attack on all that gradients had not broken; and on what only a black
 * box broke, all of them with five more restarts, to see whether they were short of gradients or of patience.
 */
async function attackLonger(
  { spec, subject, classifier }: AttackBench,
  suite: readonly AttackSpec[],
  rows: readonly EvasionRow[],
  progress: Progress,
): Promise<EvasionRow[]> {
  const climbs = climbsOf(suite, spec);
  const tries = [
    { climb: climbs[0]!, more: 0, onto: survivesSuite },
    ...climbs.map((climb) => ({ climb, more: 5, onto: (row: EvasionRow) => !survivesSuite(row) })),
  ];
  const stages = progressOver(progress, [4 * climbs.length, ...climbs.map(() => 1)]);
  let attacked = [...rows];
  for (const { climb, more, onto } of tries) {
    const patient = { ...climb, steps: 2 * climb.steps, restarts: climb.restarts + more };
    const targets = positionsWhere(
      attacked,
      (row) => survivesGradients(row) && row.longer !== true && onto(row),
    );
    const { outcomes } = await assault(
      subject,
      {
        name: 'longer',
        targets,
        threat: ballOf(subject, spec),
        run: (samples, threat, context) => runAttack(patient, classifier, samples, threat, context),
      },
      stages(),
      otherSeed(subject.seed),
    );
    attacked = withColumn(attacked, 'longer', targets, outcomes);
  }
  return attacked;
}

/** Powers of two by which the logits are scaled for the control: 0.01 and 100 lie inside. */
const SCALES = [-7, 7] as const;

/** The strongest attack again, as if the model had answered in other units. */
async function attackRescaled(
  { spec, subject, logitExponent }: AttackBench,
  suite: readonly AttackSpec[],
  rows: readonly EvasionRow[],
  progress: Progress,
): Promise<EvasionRow[]> {
  let rescaled = rows.map((row): EvasionRow => (survivesSuite(row) ? { ...row, rescaled: false } : row));
  const stages = progressOver(progress, [1, 1]);
  for (const scale of SCALES) {
    const classifier = await subject.openClassifier(logitExponent + scale);
    try {
      const targets = positionsWhere(rescaled, (row) => survivesSuite(row) && row.rescaled === false);
      const { outcomes } = await assault(
        subject,
        {
          name: 'rescaled',
          targets,
          threat: ballOf(subject, spec),
          run: (samples, threat, context) =>
            runAttack(climbsOf(suite, spec)[0]!, classifier, samples, threat, context),
        },
        stages(),
      );
      rescaled = withColumn(rescaled, 'rescaled', targets, outcomes);
    } finally {
      await classifier.close();
    }
  }
  return rescaled;
}

/**
 * Holds the gradient graph against the served model, its gradients against finite differences, and the attack against
 * planted examples.
 *
 * @param first - place of the first row in the draw: the first of all are checked more closely
 */
async function checkGraph(
  { spec, subject, classifier, logitExponent }: AttackBench,
  suite: readonly AttackSpec[],
  rows: readonly EvasionRow[],
  first: number,
  progress: Progress,
): Promise<EvasionRow[]> {
  const { samples, seed, minimum, serve, signal } = subject;
  const threat = ballOf(subject, spec);
  const strongest = climbsOf(suite, spec)[0]!;
  const checked: EvasionRow[] = [];
  for (const [index, row] of rows.entries()) {
    signal?.throwIfAborted();
    const one = select(subject, [index]);
    const bytes = sampleBytes(samples.inputs, minimum.length, index);
    const served = await serve(bytes);
    const again = await serve(bytes);
    const logits = await classifier.logits(one.inputs, 1);
    const { gradientSamples, planted } = controlLimits;
    const closely = classifier.gradientObstacle === undefined ? first + index : Number.POSITIVE_INFINITY;
    checked.push({
      ...row,
      repeatable: served.every((value, c) => Object.is(value, again[c])),
      logitsDifference: relativeDifference(logits, served, logitExponent),
      gradient:
        closely < gradientSamples ? await gradientAgreement(classifier, samples, index, threat, seed) : null,
      planted:
        closely < planted.samples
          ? await searchPlanted(classifier, one, threat, seed, (reader, sample) =>
              runAttack(strongest, reader, sample, threat, {
                seed,
                batchSize: 1,
                ...(signal ? { signal } : {}),
              }),
            )
          : null,
    });
    progress((index + 1) / rows.length);
  }
  return checked;
}

/**
 * The suite's white-box attacks, the strongest first: Auto-PGD on the cross-entropy, or where values come in steps, the
 * coordinate search. Auto-PGD alone where the suite has none.
 */
function climbsOf(suite: readonly AttackSpec[], { apgd, respects }: EvasionGateSpec): readonly Climb[] {
  const strongest = respects?.includes('types') ? 'coordinate' : 'apgd-ce';
  const names = withKnowledge(
    suite.map(({ attack }) => attack),
    'white-box',
  );
  const climbs = suite.filter((spec): spec is Climb => names.includes(spec.attack) && 'steps' in spec);
  const [first, others] = [true, false].map((is) =>
    climbs.filter(({ attack }) => (attack === strongest) === is),
  );
  return climbs.length === 0 ? [{ attack: 'apgd-ce', ...apgd }] : [...first!, ...others!];
}

/** An attack in steps. */
type Climb = Extract<AttackSpec, { steps: number }>;

/** Another seed of the same run. */
function otherSeed(seed: number): number {
  return (seed ^ 0x5bd1e995) >>> 0;
}

function withColumn(
  rows: readonly EvasionRow[],
  column: 'unbounded' | 'longer' | 'rescaled',
  targets: readonly number[],
  outcomes: readonly AttackOutcome[],
): EvasionRow[] {
  const brokenAt = new Map(targets.map((position, i) => [position, outcomes[i]!.broken]));
  return rows.map((row, position) => {
    const broken = brokenAt.get(position);
    return broken === undefined ? row : { ...row, [column]: broken };
  });
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
