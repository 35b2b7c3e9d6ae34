import { absoluteAxis } from './axes.js';
import { multiply, reduceTo } from './emit.js';
import type { Application, BackwardApplication, Operator } from './operator.js';
import { type Standardized, standardize } from './standardize.js';

const firstAxis = (at: Application): number => absoluteAxis(at, at.int('axis', -1), at.fact(0).dims.length);

const standardized = (at: BackwardApplication): Standardized => {
  const { length } = at.fact(0).dims;
  const first = firstAxis(at);
  const axes = Array.from({ length: length - first }, (_, i) => first + i);
  return standardize(at.b, at.x(0), axes, at.float('epsilon', 1e-5));
};

/** y = x̂·scale + bias, x̂ with mean 0 and variance 1 over the axes from `axis` to the last. */
export const layerNormalization: Operator = {
  opType: 'LayerNormalization',
  infer: (at) => {
    const { type, dims } = at.fact(0);
    const first = firstAxis(at);
    const statistics = { type: 'float', dims: dims.map((length, i) => (i < first ? length : 1)) } as const;
    return [{ type, dims }, statistics, statistics];
  },
  backward: (at, dY) => {
    if (at.outputGradients.slice(1).some(Boolean)) at.refuse('gradients of the statistics are not supported');
    const { b } = at;
    const operand = (gradient: string, i: number): string =>
      reduceTo(b, gradient, at.result(0).dims, at.fact(i).dims);
    return [
      () => standardized(at).backward(multiply(b, dY, at.x(1))),
      () => operand(multiply(b, dY, standardized(at).values), 1),
      () => operand(dY, 2),
    ];
  },
};
