import type { GraphBuilder } from '../graph-builder.js';
import type { Axis } from '../model.js';
import { multiply, reduceSum, reshapeLike, vector } from './emit.js';
import type { BackwardApplication, GradientRule, Operator } from './operator.js';
import { standardize } from './standardize.js';

/** Reshapes to [N, count, rest]. */
const split = (b: GraphBuilder, x: string, count: number): string =>
  b.op('Reshape', [x, vector(b, [0, count, -1])])[0];

/** A vector with one entry a channel or group, for use beside [N, count, rest]. */
const column = (b: GraphBuilder, x: string, count: number): string =>
  b.op('Reshape', [x, vector(b, [1, count, 1])])[0];

/**
 * y = x̂·scale + bias, x̂ with mean 0 and variance 1 over each of `groups` parts of a sample's channels.
 *
 * @param factors - how many entries scale and bias have: one a channel, or one a group
 */
function backward(
  at: BackwardApplication,
  dY: string,
  groups: number,
  factors: number,
): readonly GradientRule[] {
  const { b } = at;
  const normal = () => standardize(b, split(b, at.x(0), groups), [2], at.float('epsilon', 1e-5));
  return [
    () => {
      const scaled = multiply(b, split(b, dY, factors), column(b, at.x(1), factors));
      return reshapeLike(b, normal().backward(split(b, scaled, groups)), at.x(0));
    },
    () => {
      const values = split(b, normal().values, factors);
      return reduceSum(b, multiply(b, split(b, dY, factors), values), [0, 2], false);
    },
    () => reduceSum(b, split(b, dY, factors), [0, 2], false),
  ];
}

const channelsOf = (at: BackwardApplication): number => {
  const channels: Axis | undefined = at.fact(0).dims[1];
  return typeof channels === 'number' ? channels : at.refuse('expected a fixed number of channels');
};

/** Each channel of each sample by itself. */
export const instanceNormalization: Operator = {
  opType: 'InstanceNormalization',
  infer: (at) => [{ type: at.fact(0).type, dims: at.fact(0).dims }],
  backward: (at, dY) => backward(at, dY, channelsOf(at), channelsOf(at)),
};

/** Scale and bias have one entry a group before operator set 21, one a channel since. */
export const groupNormalization: Operator = {
  opType: 'GroupNormalization',
  infer: (at) => {
    const groups = at.int('num_groups', 0);
    const [, channels] = at.fact(0).dims;
    if (typeof channels !== 'number' || groups < 1 || channels % groups !== 0) {
      at.refuse(`expected channels in equal groups, got ${channels} in ${groups}`);
    }
    return [{ type: at.fact(0).type, dims: at.fact(0).dims }];
  },
  backward: (at, dY) => {
    const groups = at.int('num_groups', 1);
    return backward(at, dY, groups, at.opset < 21 ? groups : channelsOf(at));
  },
};
