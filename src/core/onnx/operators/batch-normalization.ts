import { add, divide, multiply, scalar, vector } from './emit.js';
import type { Operator } from './operator.js';

/** At inference, y = (x − mean)/√(variance + ε)·scale + bias for each channel: dx = dY·scale/√(variance + ε). */
export const batchNormalization: Operator = {
  opType: 'BatchNormalization',
  infer: (at) => {
    if (at.int('training_mode', 0) || at.node.outputs.filter(Boolean).length > 1) {
      at.refuse('training mode is not supported');
    }
    return [{ type: at.fact(0).type, dims: at.fact(0).dims }];
  },
  backward: (at, dY) => [
    () => {
      const { b } = at;
      const variance = add(b, at.x(4), scalar(b, at.float('epsilon', 1e-5)));
      const slope = divide(b, at.x(1), b.op('Sqrt', [variance])[0]);
      const channelwise = at.fact(0).dims.map((_, i) => (i === 1 ? -1 : 1));
      return multiply(b, dY, b.op('Reshape', [slope, vector(b, channelwise)])[0]);
    },
    undefined,
    undefined,
    undefined,
    undefined,
  ],
};
