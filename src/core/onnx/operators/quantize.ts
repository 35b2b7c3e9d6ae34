import { dataTypeOf } from '../data-types.js';
import type { DataType } from '../model.js';
import { absoluteAxis } from './axes.js';
import { add, divide, floatOf, multiply, scalar, unsqueeze, where } from './emit.js';
import type { Application, BackwardApplication, Operator } from './operator.js';

/** The integers that a type holds, for the types that values are quantized to. */
const ranges: Partial<Record<DataType, readonly [number, number]>> = {
  int8: [-128, 127],
  int16: [-(2 ** 15), 2 ** 15 - 1],
  uint8: [0, 255],
  uint16: [0, 2 ** 16 - 1],
};

/** The type that values are quantized to: that of the zero point, else the one asked for. */
function quantizedType(at: Application): DataType {
  const asked = at.int('output_dtype', 0);
  const type = at.has(2) ? at.fact(2).type : asked === 0 ? 'uint8' : dataTypeOf(asked);
  return type && ranges[type]
    ? type
    : at.refuse(`quantized values of type ${type ?? asked} are not supported`);
}

function refuseBlocks(at: Application): void {
  if (at.int('block_size', 0) !== 0 || at.fact(1).dims.length > 1) {
    at.refuse('scales of blocks are not supported');
  }
}

/** Scale or zero point, in a shape that fits the values: one for all of them, or one for each index of an axis. */
function spread(at: BackwardApplication, i: number): string {
  const { dims } = at.fact(i);
  const rank = at.fact(0).dims.length;
  if (dims.length === 0 || dims[0] === 1) return at.x(i);
  const axis = absoluteAxis(at, at.int('axis', 1), rank);
  const after = Array.from({ length: rank - axis - 1 }, (_, j) => j + 1);
  return unsqueeze(at.b, at.x(i), after);
}

/**
 * Rounds x/scale to whole numbers, which has no derivative of use. The rule is the straight-through estimate (Bengio,
 * Léonard and Courville 2013, arXiv:1308.3432): as if nothing were rounded, and zero where the type's range ends.
 */
export const quantizeLinear: Operator = {
  opType: 'QuantizeLinear',
  isEstimate: true,
  infer: (at) => {
    refuseBlocks(at);
    return [{ type: quantizedType(at), dims: at.fact(0).dims }];
  },
  backward: (at, dY) => [
    () => {
      const { b } = at;
      const [low, high] = ranges[quantizedType(at)]!;
      const step = spread(at, 1);
      const share = divide(b, at.x(0), step);
      const level = at.has(2) ? add(b, share, floatOf(b, spread(at, 2))) : share;
      const [below] = b.op('Less', [level, scalar(b, low - 0.5)]);
      const [above] = b.op('Greater', [level, scalar(b, high + 0.5)]);
      const [isCut] = b.op('Or', [below, above]);
      return where(b, isCut, scalar(b, 0), divide(b, dY, step));
    },
    undefined,
    undefined,
  ],
};

/** (x − zero point) · scale: linear in the whole numbers. */
export const dequantizeLinear: Operator = {
  opType: 'DequantizeLinear',
  infer: (at) => {
    refuseBlocks(at);
    return [{ type: at.fact(1).type, dims: at.fact(0).dims }];
  },
  backward: (at, dY) => [() => multiply(at.b, dY, spread(at, 1)), undefined, undefined],
};
