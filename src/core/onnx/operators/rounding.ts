import { type Combine, elementwise, numeric } from './fold.js';
import type { Operator } from './operator.js';

/** Functions that move in steps: a quantised input has a true gradient of zero, which is not the same as robustness. */
const step = (opType: string, combine?: Combine): Operator => ({
  opType,
  infer: (at) => [elementwise(at, at.fact(0).type, combine)],
  backward: 'flat',
});

const kept =
  (round: (value: number) => number): Combine =>
  (value) =>
    typeof value === 'string' ? value : round(value!);

export const ceiling = step('Ceil', kept(Math.ceil));
export const floor = step('Floor', kept(Math.floor));
/** Halves go to the even neighbour. */
export const round = step('Round');
export const sign = step(
  'Sign',
  numeric((x) => Math.sign(x!)),
);
