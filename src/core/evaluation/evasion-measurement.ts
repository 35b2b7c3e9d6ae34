import type { Classifier, Expectation, Samples } from '../attacks/index.js';
import {
  type AttackSpec,
  attacksThroughParent,
  type EvasionGateSpec,
  type SuiteAttackName,
  suiteOf,
} from '../spec/index.js';
import {
  type AttackBench,
  answersOf,
  assault,
  ballOf,
  type Progress,
  positionsWhere,
  select,
} from './attack-bench.js';
import { attackExponent } from './attack-scale.js';
import { certifyBroken } from './certify-broken.js';
import { checkGraph } from './check-graph.js';
import { controlAttacks } from './control-attacks.js';
import { type AttackOutcome, type EvasionRow, isBrokenBy } from './evasion-row.js';
import { type Step, takeSteps } from './evasion-steps.js';
import type { Block, EvidenceRow, GateSubject, Measurement, Resumption } from './gate.js';
import { exponentOf, openSurrogate } from './open-surrogate.js';
import { sampleBytes, serveCleanly } from './serve-cleanly.js';
import { applicable, runAttack, sparedBy, suiteAttacks } from './suite-attacks.js';

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
  const { randomised } = spec;
  const expectation = randomised && { draws: randomised.draws, seed: whole.seed };
  const logitExponent = expectation
    ? await meanExponent(whole, expectation)
    : await attackExponent(whole.samples.ids.length, (index) => {
        whole.signal?.throwIfAborted();
        return whole.serve(sampleBytes(whole.samples.inputs, whole.minimum.length, index));
      });
  const positions = Array.from({ length: block.to - block.from }, (_, i) => block.from + i);
  const subject = { ...whole, samples: select(whole, positions) };
  const classifier = await subject.openClassifier(logitExponent, expectation);
  let surrogate: Classifier | undefined;
  try {
    const { gradientObstacle: obstacle } = classifier;
    const suite = applicable(suiteOf(spec), {
      gradients: obstacle === undefined,
      parent: whole.openParent !== undefined,
    });
    if (whole.openParent && attacksThroughParent(spec)) {
      surrogate = await openSurrogate(whole, whole.openParent, expectation);
    }
    const bench: AttackBench = {
      spec,
      subject,
      classifier,
      logitExponent,
      ...lessonsOf(whole),
      ...(expectation && { expectation }),
      ...(surrogate && { surrogate }),
    };
    const steps: readonly Step[] = [
      {
        weight: 5,
        run: async (_rows, progress) =>
          (await serveCleanly(subject, progress, undefined, randomised?.answers)).map(notAttacked),
      },
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

/** The scale that attacks work at, by the means of named draws: what is served draws anew each time. */
async function meanExponent(whole: GateSubject, expectation: Expectation): Promise<number> {
  const plain = await whole.openClassifier(0, expectation);
  try {
    return await exponentOf(whole, plain);
  } finally {
    await plain.close();
  }
}

/**
 * The samples that a universal attack learns from: the first of the draw, at most half of it, the same for every shard. What
 * it does to the others shows what it does to images that nobody has seen.
 */
const MOST_LESSONS = 128;
function lessonsOf(whole: GateSubject): { readonly lessons: Samples } {
  const count = Math.min(MOST_LESSONS, Math.ceil(whole.samples.ids.length / 2));
  return {
    lessons: select(
      whole,
      Array.from({ length: count }, (_, position) => position),
    ),
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
  { spec, subject, classifier, surrogate, lessons }: AttackBench,
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
      ...answersOf(spec),
      run: (samples, threat, context) =>
        runAttack(attack, classifier, samples, threat, {
          ...context,
          lessons,
          ...(surrogate && { surrogate }),
        }),
    },
    progress,
  );
  const learned = new Set(suiteAttacks[name].knowledge === 'universal' ? lessons.ids : []);
  const seenBy = (id: string, outcome: AttackOutcome): AttackOutcome =>
    learned.size === 0 ? outcome : { ...outcome, heldOut: !learned.has(id) };
  const placeOf = new Map(targets.map((position, i) => [position, i]));
  return rows.map((row, position) => {
    if (!row.correct) return row;
    const place = placeOf.get(position);
    const rise = place === undefined || !climbsCrossEntropy(name) ? Number.NaN : lateRise?.[place];
    return {
      ...row,
      attacks: { ...row.attacks, [name]: place === undefined ? null : seenBy(row.id, outcomes[place]!) },
      // What is not a number says nothing; the last attack that says something counts.
      lateRise: rise === undefined || Number.isNaN(rise) ? row.lateRise : rise,
    };
  });
}

/** Losses of other kinds have other units. */
function climbsCrossEntropy(name: SuiteAttackName): boolean {
  return name === 'pgd' || name === 'apgd-ce' || name === 'patch';
}
