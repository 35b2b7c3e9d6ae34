import { add, divide, multiply, reduceSum, scalar, subtract, vector } from './emit.js';
import type { BackwardApplication, Operator } from './operator.js';

/**
 * At inference, y = (x − mean)/√(variance + ε)·scale + bias for each channel: dx = dY·scale/√(variance + ε); dscale and
 * dbias sum over all but the channels. The statistics are held fixed.
 */
export const batchNormalization: Operator = {
  opType: 'BatchNormalization',
  infer: (at) => {
    if (at.int('training_mode', 0) || at.node.outputs.filter(Boolean).length > 1) {
      at.refuse('training mode is not supported');
    }
    return [{ type: at.fact(0).type, dims: at.fact(0).dims }];
  },
  backward: (at, dY) => {
    const { b } = at;
    const others = at.fact(0).dims.flatMap((_, i) => (i === 1 ? [] : [i]));
    return [
      () => multiply(b, dY, channelwise(at, divide(b, at.x(1), deviation(at)))),
      () => {
        const centred = subtract(b, at.x(0), channelwise(at, at.x(3)));
        return divide(b, reduceSum(b, multiply(b, dY, centred), others, false), deviation(at));
      },
      () => reduceSum(b, dY, others, false),
      undefined,
      undefined,
    ];
  },
};

/** √(variance + ε) of each channel. */
const deviation = (at: BackwardApplication): string =>
  at.b.op('Sqrt', [add(at.b, at.x(4), scalar(at.b, at.float('epsilon', 1e-5)))])[0];

/** A vector with one entry a channel, for use beside [N, C, …]. */
const channelwise = ({ b, fact }: BackwardApplication, x: string): string =>
  b.op('Reshape', [
    x,
    vector(
      b,
      fact(0).dims.map((_, i) => (i === 1 ? -1 : 1)),
    ),
  ])[0];
