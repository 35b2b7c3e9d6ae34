import { attribute, type GraphBuilder, int64Vector } from '../../onnx/index.js';
import { product } from './layers.js';

/** A named block of the flat parameter vector. */
interface Block {
  readonly name: string;
  readonly dims: readonly number[];
}

/**
 * Cuts the flat parameter vector into named weights.
 *
 * @param theta - value of shape [P]
 * @returns the value of each weight by its name
 */
export function addWeights(
  builder: GraphBuilder,
  weights: readonly Block[],
  theta: string,
): (name: string) => string {
  const sizes = builder.constant(int64Vector(weights.map(({ dims }) => product(dims))), 'sizes');
  const parts = builder.op('Split', [theta, sizes], { axis: attribute.int(0) }, weights.length);
  const values = new Map(
    weights.map(({ name, dims }, index) => [
      name,
      builder.op('Reshape', [parts[index]!, builder.constant(int64Vector(dims), 'dims')])[0],
    ]),
  );
  return (name) => values.get(name)!;
}

/** Each weight's part of a flat parameter vector, in order; the parts are copies. */
export function weightValues(
  weights: readonly Block[],
  theta: Float32Array,
): readonly (readonly [Block, Float32Array])[] {
  let at = 0;
  return weights.map((weight) => {
    const from = at;
    at += product(weight.dims);
    return [weight, theta.slice(from, at)] as const;
  });
}

/** Length of the flat vector of all weights. */
export function lengthOf(weights: readonly Block[]): number {
  return weights.reduce((total, { dims }) => total + product(dims), 0);
}
