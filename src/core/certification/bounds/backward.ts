import { down, ownGamma, up } from './arithmetic.js';
import { type Ball, leastOver, leastOverBox } from './ball.js';
import type { Range } from './intervals.js';
import type { Network } from './network.js';
import type { Relaxation } from './relaxation.js';

/** A network over one ball, as far as ranges of its values are known. */
export interface Bounded {
  readonly network: Network;
  readonly ball: Ball;
  readonly ranges: readonly Range[];
  /** Linear bounds of each nonlinear step's result, by value; where there are none, its interval is taken. */
  readonly relaxations: ReadonlyMap<number, Relaxation>;
}

/** Linear functions of a value. */
export interface Rows {
  readonly value: number;
  /** One row of coefficients a function. */
  readonly coefficients: readonly Float64Array[];
  /** Whether they are of the value as the runtime has it, rounded; else of the exact sum of its terms. */
  readonly ofRounded: boolean;
}

/** A lower bound under way: the parts that were added up, and what they may be too large by. */
interface Account {
  sum: number;
  magnitude: number;
  loss: number;
}

/**
 * Lower bounds of linear functions of a value over the ball, by carrying their coefficients back to the input, through
 * affine steps exactly and through nonlinear ones by their linear bounds. The last affine steps are so folded into the
 * functions, which is tighter than bounding the value and then the functions (elision).
 *
 * Rounding of this very computation: the coefficients that are carried on are taken as they are, and what an exact product
 * would have given beyond them is at most γ_n·|a|·|W|·|x|, which is bounded by |a| times the value's own magnitude and
 * subtracted on the way.
 *
 * Source: Zhang et al. (CROWN), NeurIPS 2018, theorem 3.2; Gowal et al., "On the effectiveness of interval bound
 * propagation", 2018, section 3.3, for the elision.
 *
 * @returns a bound for each row, and how many multiplications it took
 */
export function lowerBounds(
  { network, ball, ranges, relaxations }: Bounded,
  { value: target, coefficients, ofRounded }: Rows,
): { readonly bounds: Float64Array; readonly work: number } {
  const additions = additionsOf(network);
  const accounts = coefficients.map((row): Account => {
    return { sum: 0, magnitude: 0, loss: ofRounded ? weighed(row, ranges[target]!.error) : 0 };
  });
  const pending = new Map<number, readonly Float64Array[]>([[target, coefficients]]);
  let work = 0;
  const rowsOf = (value: number): readonly Float64Array[] => {
    const rows = pending.get(value) ?? coefficients.map(() => new Float64Array(network.sizes[value]!));
    pending.set(value, rows);
    return rows;
  };
  for (let value = target; value > 0; value--) {
    const rows = pending.get(value);
    if (!rows) continue;
    pending.delete(value);
    const step = network.steps[value - 1]!;
    const share = ownGamma(additions + network.sizes[value]! + 16);
    if (step.kind === 'affine') {
      for (const { value: source, map } of step.terms) {
        const into = rowsOf(source);
        rows.forEach((row, r) => {
          work += map.multiplyTransposed(map.weights, row, into[r]!);
        });
      }
      rows.forEach((row, r) => {
        add(accounts[r]!, dot(row, step.bias), share * weighed(row, ranges[value]!.magnitude));
      });
    } else {
      const relaxation = relaxations.get(value);
      const into = relaxation && rowsOf(step.value);
      rows.forEach((row, r) => {
        if (relaxation && into) {
          const { error } = ranges[step.value]!;
          relaxRow(row, { relaxation, error, share, into: into[r]!, account: accounts[r]! });
        } else add(accounts[r]!, leastOverBox(ranges[value]!, row), 0);
      });
    }
    for (const row of rows) work += row.length;
  }
  pending.get(0)?.forEach((row, r) => {
    add(accounts[r]!, leastOver(ball, row), 0);
  });
  const parts = ownGamma(network.steps.length + 8);
  return {
    bounds: Float64Array.from(accounts, ({ sum, magnitude, loss }) =>
      // What was lost is itself a rounded sum; the last part stands for products too small for float64.
      down(sum - up(up(loss * (1 + 2 ** -30)) + up(parts * magnitude + 2 ** -900))),
    ),
    work,
  };
}

function add(account: Account, part: number, loss: number): void {
  account.sum += part;
  account.magnitude += Math.abs(part);
  account.loss += loss;
}

interface Through {
  readonly relaxation: Relaxation;
  /** How far the runtime may be from the exact value of each element of the step's input. */
  readonly error: Float64Array;
  readonly share: number;
  readonly into: Float64Array;
  readonly account: Account;
}

/** Replaces each result by the linear bound that its coefficient's sign asks for. */
function relaxRow(row: Float64Array, { relaxation, error, share, into, account }: Through): void {
  const { lowerSlope, lowerOffset, upperSlope, upperOffset, sources, size } = relaxation;
  let [sum, lost, weight] = [0, 0, 0];
  for (let i = 0; i < row.length; i++) {
    const a = row[i]!;
    if (a === 0) continue;
    const coefficient = a * (a > 0 ? lowerSlope[i]! : upperSlope[i]!);
    into[sources[i]!]! += coefficient;
    sum += a * (a > 0 ? lowerOffset[i]! : upperOffset[i]!);
    lost += Math.abs(coefficient) * error[sources[i]!]!;
    weight += Math.abs(a) * size[i]!;
  }
  add(account, sum, lost + share * weight);
}

/** At least how often something is added to one coefficient on the way back. */
function additionsOf({ steps, sizes }: Network): number {
  return steps.reduce((total, step, i) => {
    if (step.kind === 'elementwise') return total + 1;
    if (step.kind === 'maximum') return total + sizes[i + 1]!;
    return total + step.terms.reduce((sum, { map }) => sum + map.fanOut, 1);
  }, 0);
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** Σ |a|·b. */
function weighed(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += Math.abs(a[i]!) * b[i]!;
  return sum;
}
