import { attribute } from '../graph-builder.js';
import type { Axis } from '../model.js';
import { product, quotient } from './axes.js';
import { reshapeLike, transpose, vector } from './emit.js';
import type { Application, Operator } from './operator.js';

const block = (at: Application): number => {
  const size = at.int('blocksize', 0);
  return size >= 1 && at.fact(0).dims.length === 4
    ? size
    : at.refuse(`expected blocks of at least 1 in [N, C, H, W], got ${size} in [${at.fact(0).dims}]`);
};

const shrunk = (at: Application, length: Axis, factor: number): Axis =>
  quotient([length], [factor]) ?? at.refuse(`expected a length divisible by ${factor}, got ${length}`);

/** Moves channels into blocks of pixels (pixel shuffle): the gradient is moved back. */
export const depthToSpace: Operator = {
  opType: 'DepthToSpace',
  infer: (at) => {
    const size = block(at);
    const { type, dims } = at.fact(0);
    const [n, channels, height, width] = dims;
    return [
      {
        type,
        dims: [n!, shrunk(at, channels!, size * size), product([height!, size]), product([width!, size])],
      },
    ];
  },
  backward: (at, dY) => [
    () => {
      const { b } = at;
      const size = block(at);
      if (at.string('mode', 'DCR') === 'DCR') {
        return b.op('SpaceToDepth', [dY], { blocksize: attribute.int(size) })[0];
      }
      const [, channels, height, width] = at.fact(0).dims;
      if (typeof height !== 'number' || typeof width !== 'number') {
        return at.refuse(`expected fixed lengths, got [${at.fact(0).dims}]`);
      }
      const parts = Number(shrunk(at, channels!, size * size));
      const [apart] = b.op('Reshape', [dY, vector(b, [-1, parts, height, size, width, size])]);
      return reshapeLike(b, transpose(b, apart, [0, 1, 3, 5, 2, 4]), at.x(0));
    },
  ],
};

/** Moves blocks of pixels into channels. */
export const spaceToDepth: Operator = {
  opType: 'SpaceToDepth',
  infer: (at) => {
    const size = block(at);
    const { type, dims } = at.fact(0);
    const [n, channels, height, width] = dims;
    return [
      {
        type,
        dims: [n!, product([channels!, size * size]), shrunk(at, height!, size), shrunk(at, width!, size)],
      },
    ];
  },
  backward: (at, dY) => [() => at.b.op('DepthToSpace', [dY], { blocksize: attribute.int(block(at)) })[0]],
};
