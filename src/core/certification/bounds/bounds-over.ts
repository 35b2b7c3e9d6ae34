import { float32Arithmetic, type RuntimeArithmetic } from './arithmetic.js';
import { type Bounded, lowerBounds } from './backward.js';
import type { Ball } from './ball.js';
import { type Range, rangeOfInput, rangeOfStep, seen } from './intervals.js';
import type { Network, Step } from './network.js';
import { type Relaxation, relax } from './relaxation.js';

export type BoundMethod = 'interval' | 'crown';

/** Multiplications that tighter intervals of inner values may cost a sample, which keeps it well under a second. */
const refinementBudget = 2e8;

/** Elements whose intervals are tightened at once. */
const chunkLength = 32;

/** Bounds of linear functions of a network's logits, as the runtime computes these, for every input of a ball. */
export type LogitBounds = (rows: readonly Float64Array[]) => Float64Array;

/**
 * Bounds a network over a ball.
 *
 * `interval`: interval arithmetic, the last affine steps folded into the functions (Gowal et al., 2018). Balls of L2 and
 * L1 are taken by the box around them. `crown`: linear bounds carried back to the input (Zhang et al., NeurIPS 2018),
 * those of inner values too as long as the budget lasts; each bound is the better one of both methods.
 *
 * @returns lower bounds of any functions Σ coefficient · logit, one row a function; not a number where the runtime could
 * overflow
 */
export function boundsOver(
  network: Network,
  ball: Ball,
  method: BoundMethod,
  arithmetic: RuntimeArithmetic = float32Arithmetic,
): LogitBounds {
  const isCrown = method === 'crown';
  const relaxations = new Map<number, Relaxation>();
  const ranges: Range[] = [rangeOfInput(ball.lower, ball.upper, !isCrown || ball.norm === 'linf')];
  const bounded: Bounded = { network, ball, ranges, relaxations };
  let budget = refinementBudget;
  for (const [i, step] of network.steps.entries()) {
    if (isCrown && step.kind !== 'affine') {
      const { range, work } = refine(bounded, step, budget);
      budget -= work;
      ranges[step.value] = range;
    }
    const result = rangeOfStep(step, ranges, arithmetic);
    ranges.push(result);
    if (isCrown && step.kind !== 'affine') relaxations.set(i + 1, relax(step, ranges[step.value]!, result));
  }
  return (coefficients) => {
    const least = (known: Bounded): Float64Array =>
      lowerBounds(known, { value: network.logits, coefficients, ofRounded: true }).bounds;
    const simple = least({ ...bounded, relaxations: new Map() });
    if (!isCrown) return simple;
    const linear = least(bounded);
    return simple.map((bound, r) => Math.max(bound, linear[r]!));
  };
}

/** Tightens the intervals of a nonlinear step's input where that makes a difference to it. */
function refine(
  bounded: Bounded,
  step: Exclude<Step, { kind: 'affine' }>,
  budget: number,
): { readonly range: Range; readonly work: number } {
  const { network, ranges } = bounded;
  const range = ranges[step.value]!;
  if (range.isExact || step.value === 0 || network.steps[step.value - 1]!.kind !== 'affine') {
    return { range, work: 0 };
  }
  const lower = range.lower.slice();
  const upper = range.upper.slice();
  const open = openElements(step, range);
  let work = 0;
  for (let from = 0; from < open.length && work < budget; from += chunkLength) {
    const chunk = open.slice(from, from + chunkLength);
    const coefficients = chunk.flatMap((element) =>
      [1, -1].map((sign) => {
        const row = new Float64Array(lower.length);
        row[element] = sign;
        return row;
      }),
    );
    const least = lowerBounds(bounded, { value: step.value, coefficients, ofRounded: false });
    work += least.work;
    chunk.forEach((element, i) => {
      lower[element] = Math.max(lower[element]!, least.bounds[2 * i]!);
      upper[element] = Math.min(upper[element]!, -least.bounds[2 * i + 1]!);
    });
  }
  return { range: { ...range, lower, upper }, work };
}

/** Elements at which the step is not linear over their interval. */
function openElements(step: Exclude<Step, { kind: 'affine' }>, range: Range): readonly number[] {
  if (step.kind === 'maximum') return [...new Set(step.sources)];
  return Array.from(range.lower, (_, i) => i).filter((i) => {
    const { low, high } = seen(range, i);
    return low < high && !step.activationOf(i).isLinear(low, high);
  });
}
