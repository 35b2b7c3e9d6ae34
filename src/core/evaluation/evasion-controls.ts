import { clopperPearson } from '../statistics/index.js';
import { type EvasionRow, isBrokenBy, isRobust } from './evasion-row.js';
import { type Finding, figure } from './judgement.js';

/** What the suite demands of itself before a model passes. */
export const controlLimits = {
  /** Samples whose gradient is held against finite differences. */
  gradientSamples: 32,
  /**
   * Least cosine of a gradient and its finite differences, and the least share of the checked ones that must reach it.
   * Over short steps, ReLU kinks and rounding spoil a few. Over steps of the ball's radius honest models bend (small
   * networks were measured at 0.93 and more) and staircases jump.
   */
  cosine: { least: 0.99, share: 0.9 },
  ballCosine: { least: 0.7, share: 0.75 },
  /** Largest difference between the logits of the gradient graph and the served ones, in parts of the largest logit. */
  logitsDifference: 1e-4,
  /** Largest share of the samples that one step may break and many steps may not. */
  oneStepShare: 0.002,
  /** Largest share of the samples that an attack without gradients may break and those with gradients may not. */
  blackBoxShare: 0.002,
  /** Largest share of the samples that an attack may claim and the serving session not confirm. */
  unconfirmedShare: 0.002,
  /** Survivors that are attacked again without a radius; none may survive that. */
  unboundedSamples: 100,
} as const;

/**
 * Asks whether the attacks had the power to break what they did not break. A model that withstands because its
 * gradients are useless has withstood nothing.
 *
 * Source of the checks: Athalye, Carlini, Wagner, "Obfuscated gradients give a false sense of security", ICML 2018,
 * section 3.1; Carlini et al., "On evaluating adversarial robustness", 2019, section 4.
 */
export function judgeControls(rows: readonly EvasionRow[], confidence: number): readonly Finding[] {
  return [
    ...judgeGradients(rows, confidence),
    ...judgeServing(rows),
    ...judgeOneStep(rows, confidence),
    ...judgeBlackBox(rows, confidence),
    ...judgeUnbounded(rows),
  ];
}

function judgeGradients(rows: readonly EvasionRow[], confidence: number): readonly Finding[] {
  const checked = rows.flatMap(({ gradient }) => gradient ?? []);
  const expected = Math.min(controlLimits.gradientSamples, rows.length);
  if (checked.length < expected) return [notRun('gradient check', checked.length, expected)];
  const vanished = checked.filter(({ cosine }) => cosine === null).length;
  // More than half of all gradients gone is no accident of rounding.
  if (clopperPearson(vanished, checked.length, confidence)[0] > 0.5) {
    return [
      {
        status: 'fail',
        reason: `Gradient masking: the gradient is zero at ${vanished} of ${checked.length} samples, so attacks that follow it show nothing.`,
      },
    ];
  }
  const judge = (name: 'cosine' | 'ballCosine', steps: string): readonly Finding[] => {
    const { least, share } = controlLimits[name];
    const agreeing = checked.filter(({ [name]: cosine }) => cosine !== null && cosine >= least).length;
    if (agreeing >= share * checked.length) return [];
    return [
      inconclusive(
        `Gradients agree with finite differences over ${steps} (cosine at least ${least}) at ${agreeing} of ${checked.length} samples, expected ${share * 100} %`,
      ),
    ];
  };
  return [...judge('cosine', 'short steps'), ...judge('ballCosine', 'steps of the radius')];
}

function judgeServing(rows: readonly EvasionRow[]): readonly Finding[] {
  const findings: Finding[] = [];
  const right = rows.filter(({ correct }) => correct);
  const attacked = right.filter(({ attacks }) => attacks !== null);
  if (attacked.length < right.length) {
    findings.push(notRun('suite of attacks', attacked.length, right.length));
  }
  const differences = rows.flatMap(({ logitsDifference }) => logitsDifference ?? []);
  if (differences.length < rows.length) {
    findings.push(notRun('comparison of logits', differences.length, rows.length));
  }
  const largest = differences.reduce((most, difference) => Math.max(most, difference), 0);
  if (largest > controlLimits.logitsDifference) {
    findings.push(
      inconclusive(
        `The logits of the attacked graph differ from the served ones by ${largest.toExponential(1)} of the largest logit, expected at most ${controlLimits.logitsDifference}`,
      ),
    );
  }
  const unconfirmed = rows.filter(
    ({ attacks }) => attacks && Object.values(attacks).some((outcome) => outcome?.claimed && !outcome.broken),
  ).length;
  if (unconfirmed > controlLimits.unconfirmedShare * rows.length) {
    findings.push(
      inconclusive(
        `The serving session does not confirm ${unconfirmed} adversarial examples that the attacks claim, expected at most ${controlLimits.unconfirmedShare * 100} % of ${rows.length}`,
      ),
    );
  }
  return findings;
}

function judgeOneStep(rows: readonly EvasionRow[], confidence: number): readonly Finding[] {
  const onlyOneStep = rows.filter(
    ({ attacks }) => isBrokenBy(['fgsm'], attacks) && !isBrokenBy(['pgd', 'apgd-ce', 'apgd-dlr'], attacks),
  ).length;
  const { oneStepShare } = controlLimits;
  return judgeMasking(
    rows,
    confidence,
    onlyOneStep,
    oneStepShare,
    (count) => `One step (FGSM) breaks ${count} that many steps (PGD, APGD) do not`,
  );
}

/** Square is run on what the gradient attacks left, so whatever it breaks they did not. */
function judgeBlackBox(rows: readonly EvasionRow[], confidence: number): readonly Finding[] {
  const onlyBlackBox = rows.filter(({ attacks }) => isBrokenBy(['square'], attacks)).length;
  const { blackBoxShare } = controlLimits;
  return judgeMasking(
    rows,
    confidence,
    onlyBlackBox,
    blackBoxShare,
    (count) => `A black box (Square) breaks ${count} that the gradient attacks do not`,
  );
}

/** An attack that knows less and breaks what the stronger ones do not shows that these follow gradients which mislead. */
function judgeMasking(
  rows: readonly EvasionRow[],
  confidence: number,
  broken: number,
  limit: number,
  describe: (count: string) => string,
): readonly Finding[] {
  if (broken <= limit * rows.length) return [];
  const reason = `${describe(`${broken} of ${rows.length} samples`)}, expected at most ${limit * 100} %`;
  const [lower] = clopperPearson(broken, rows.length, confidence);
  return [
    lower > limit
      ? { status: 'fail', reason: `Gradient masking: ${reason}; share at least ${figure(lower)}.` }
      : inconclusive(reason),
  ];
}

function judgeUnbounded(rows: readonly EvasionRow[]): readonly Finding[] {
  const survivors = rows.filter(isRobust);
  const tried = survivors.filter(({ unbounded }) => unbounded !== null);
  const expected = Math.min(controlLimits.unboundedSamples, survivors.length);
  if (tried.length < expected) return [notRun('attack without a radius', tried.length, expected)];
  const standing = tried.filter(({ unbounded }) => unbounded === false).length;
  if (standing === 0) return [];
  return [
    inconclusive(
      `An attack without a radius leaves ${standing} of ${tried.length} survivors standing, expected none`,
    ),
  ];
}

function inconclusive(observation: string): Finding {
  return {
    status: 'inconclusive',
    reason: `${observation}: the attack may lack power against this model.`,
  };
}

function notRun(control: string, got: number, expected: number): Finding {
  return {
    status: 'inconclusive',
    reason: `The ${control} was run on ${got} samples, expected ${expected}: nothing shows that the attack has power.`,
  };
}
