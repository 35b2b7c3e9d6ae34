/** Least share of the steps since the last checkpoint that must have raised the loss. */
const RHO = 0.75;
/** Share of the values that the first L1 steps move. */
const FIRST_SHARE = 0.2;
/** Whatever is cut is divided by this: the sparsity, and an L1 step that did not make the best point sparser. */
const L1_CUT = 1.5;
const SHORTEST_L1_STEP = 0.1;
/** The best point is sparser when it moves less than this share of the values that it moved at the checkpoint before. */
const SPARSER = 0.95;

/** What one climber's schedule knows. */
export interface Pace {
  /** In parts of the radius. */
  stepLength: number;
  /** Steps since the last checkpoint that raised the loss. */
  rises: number;
  /** At the last checkpoint: the best loss, and whether the step was halved. */
  bestLoss: number;
  halved: boolean;
  /** Under L1: how many values a step moves, and how many the best point moved at the last checkpoint. */
  moved: number;
  movedBefore: number;
}

/** How long Auto-PGD's steps are, and when they change. */
export interface Schedule {
  checkpoints(steps: number): readonly number[];
  begin(loss: number, size: number): Pace;
  /**
   * At a checkpoint `steps` steps after the last one.
   * @param moved - values in which the best point differs from the sample
   * @returns whether the climb goes on from the best point
   */
  adjust(pace: Pace, steps: number, bestLoss: number, moved: number): boolean;
}

/**
 * For L∞ and L2: the step length begins at twice the radius, and is halved where too few steps raised the loss, or where
 * neither the step nor the best loss has changed since the checkpoint before.
 *
 * Source: Croce, Hein, ICML 2020, section 3.1, conditions 1 and 2.
 */
export const halvingSchedule: Schedule = {
  checkpoints,
  begin: (loss, size) => ({
    stepLength: 2,
    rises: 0,
    bestLoss: loss,
    halved: false,
    moved: size,
    movedBefore: size,
  }),
  adjust(pace, steps, bestLoss) {
    const rarelyRose = pace.rises < RHO * steps;
    const stuck = !pace.halved && bestLoss <= pace.bestLoss;
    pace.halved = rarelyRose || stuck;
    pace.bestLoss = bestLoss;
    pace.rises = 0;
    if (pace.halved) pace.stepLength /= 2;
    return pace.halved;
  },
};

/**
 * For L1: steps move few values, and as few as the best point suggests. Where that point became sparser the climb starts
 * from it again with steps of full length; else they get shorter.
 *
 * Source: Croce, Hein, "Mind the box", ICML 2021, section 4.1 and algorithm 1.
 */
export const sparsitySchedule: Schedule = {
  checkpoints(steps) {
    const every = Math.max(1, Math.floor(0.04 * steps));
    return Array.from({ length: Math.floor(steps / every) }, (_, i) => (i + 1) * every);
  },
  begin: (loss, size) => ({
    stepLength: 1,
    rises: 0,
    bestLoss: loss,
    halved: false,
    moved: Math.max(1, Math.floor(FIRST_SHARE * size)),
    movedBefore: size,
  }),
  adjust(pace, _steps, _bestLoss, moved) {
    const sparser = moved < SPARSER * pace.movedBefore;
    pace.moved = Math.max(1, Math.floor(moved / L1_CUT));
    pace.movedBefore = moved;
    pace.stepLength = sparser ? 1 : Math.max(SHORTEST_L1_STEP, pace.stepLength / L1_CUT);
    return sparser;
  },
};

/**
 * The steps after which the step length is looked at: ⌈pⱼ · steps⌉ with p₁ = 0.22 and
 * pⱼ₊₁ = pⱼ + max(pⱼ − pⱼ₋₁ − 0.03, 0.06), in whole hundredths so that no rounding moves one.
 */
export function checkpoints(steps: number): readonly number[] {
  const found = new Set<number>();
  for (let before = 0, at = 22; at <= 100; ) {
    found.add(Math.ceil((at * steps) / 100));
    [before, at] = [at, at + Math.max(at - before - 3, 6)];
  }
  return [...found];
}
