import { attribute } from '../graph-builder.js';
import type { Attribute, Axis } from '../model.js';
import { floatTensor } from '../tensor.js';
import { absoluteAxis, fixed } from './axes.js';
import { slice, transpose, vector } from './emit.js';
import type { Application, BackwardApplication, Operator } from './operator.js';

/** What happens along an axis. */
interface AxisPlan {
  readonly length: Axis;
  /** Length of the result. */
  readonly resized: Axis;
  /** The factor, where the node gives factors and not lengths: it need not be the quotient of the lengths. */
  readonly scale: number | undefined;
  /** The part of the axis that is looked at, from 0 to 1. */
  readonly region: readonly [number, number];
}

/**
 * Interpolates along axes. Every element of the result is a weighted sum along one axis after the other, so that each axis
 * has a matrix, and the gradient is multiplied by its transpose. The matrix is what the node itself makes of the identity:
 * whatever the kind of interpolation, the gradient is that of this runtime's own coordinates and rounding.
 */
export const resize: Operator = {
  opType: 'Resize',
  infer: (at) => {
    const { type } = at.fact(0);
    return [{ type, dims: plansOf(at).map(({ resized }) => resized) }];
  },
  backward: (at, dY) => [
    () => {
      const plans = plansOf(at);
      // Then ONNX Runtime copies, whatever the factors and the part that is looked at.
      if (plans.every(({ length, resized }) => length === resized)) return dY;
      return plans.reduce((gradient, plan, axis) => {
        const isSame = plan.resized === plan.length && (plan.scale ?? 1) === 1 && isWhole(plan.region);
        return isSame ? gradient : timesMatrix(at, gradient, axis, interpolation(at, plan));
      }, dY);
    },
    undefined,
    undefined,
    undefined,
  ],
};

const isWhole = ([from, to]: AxisPlan['region']): boolean => from === 0 && to === 1;

function plansOf(at: Application): readonly AxisPlan[] {
  const { dims } = at.fact(0);
  const policy = at.string('keep_aspect_ratio_policy', 'stretch');
  if (policy !== 'stretch') at.refuse(`keep_aspect_ratio_policy ${policy} is not supported`);
  const axes = (at.ints('axes') ?? dims.map((_, i) => i)).map((axis) => absoluteAxis(at, axis, dims.length));
  const given = (i: number): readonly Axis[] | undefined => {
    const values = at.has(i) ? at.elements(i) : [];
    if (values.length === 0) return undefined;
    if (values.length !== axes.length)
      at.refuse(`expected ${axes.length} values in input ${i}, got [${values}]`);
    return values;
  };
  const scales = given(2);
  const sizes = given(3) ?? (scales ? undefined : at.refuse('expected scales or sizes'));
  const crops = at.string('coordinate_transformation_mode', 'half_pixel') === 'tf_crop_and_resize';
  const regions = crops ? at.elements(1).map(Number) : undefined;
  return dims.map((length, axis) => {
    const i = axes.indexOf(axis);
    if (i < 0) return { length, resized: length, scale: undefined, region: [0, 1] };
    const region = regions ? ([regions[i]!, regions[i + axes.length]!] as const) : ([0, 1] as const);
    if (sizes) return { length, resized: sizes[i]!, scale: undefined, region };
    const scale = Number(scales![i]);
    if (scale === 1) return { length, resized: length, scale, region };
    return { length, resized: Math.floor(Math.fround(scale * fixed(at, [length])[0]!)), scale, region };
  });
}

/** The transposed matrix [length, resized] of an axis: each row of the identity, resized. */
function interpolation(at: BackwardApplication, plan: AxisPlan): string {
  const { b } = at;
  const [length, resized] = fixed(at, [plan.length, plan.resized]) as readonly [number, number];
  const elements = Array.from({ length: length * length }, (_, i) => (i % (length + 1) === 0 ? 1 : 0));
  const identity = b.constant(floatTensor([length, 1, length, 1], elements), 'identity');
  const [from, to] = plan.region;
  const none = b.opset < 13 ? b.constant(floatTensor([0], []), 'none') : '';
  const region = b.constant(floatTensor([8], [0, 0, from, 0, 1, 1, to, 1]), 'region');
  // The last axis is doubled, since ONNX Runtime copies where no length changes, whatever the factors.
  const amounts =
    plan.scale === undefined
      ? [none, vector(b, [length, 1, resized, 2])]
      : [b.constant(floatTensor([4], [1, 1, plan.scale, 2]), 'scales')];
  const [doubled] = b.op('Resize', [identity, region, ...amounts], ownAttributes(at));
  const rows = slice(b, doubled, [3], [0], [1]);
  return b.op('Reshape', [rows, vector(b, [length, resized])])[0];
}

/** How the node interpolates. What lies outside is the same whatever the input, so it has no part in the gradient. */
function ownAttributes(at: BackwardApplication): Readonly<Record<string, Attribute>> {
  const { axes: _, extrapolation_value: __, ...attributes } = at.node.attributes;
  return { ...attributes, extrapolation_value: attribute.float(0) };
}

/** Multiplies along an axis, by a matrix [length, resized]. */
function timesMatrix(at: BackwardApplication, gradient: string, axis: number, matrix: string): string {
  const rank = at.fact(0).dims.length;
  const [product] = at.b.op('MatMul', [swapLast(at, gradient, axis, rank), transpose(at.b, matrix, [1, 0])]);
  return swapLast(at, product, axis, rank);
}

function swapLast(at: BackwardApplication, x: string, axis: number, rank: number): string {
  if (axis === rank - 1) return x;
  const permutation = Array.from({ length: rank }, (_, i) => i);
  permutation[axis] = rank - 1;
  permutation[rank - 1] = axis;
  return transpose(at.b, x, permutation);
}
