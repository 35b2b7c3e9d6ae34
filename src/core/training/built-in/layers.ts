import { RefusedError } from '../../errors/index.js';
import type { NetworkSpec } from '../../spec/index.js';

/** One step of a network. Layers with weights are named; their weights are `NAME.weight` and `NAME.bias`. */
export type Layer =
  | { readonly kind: 'reshape'; readonly shape: readonly number[] }
  | { readonly kind: 'convolution'; readonly name: string; readonly from: number; readonly to: number }
  | { readonly kind: 'relu' }
  | { readonly kind: 'pool' }
  | { readonly kind: 'dense'; readonly name: string; readonly from: number; readonly to: number };

/** A named block of the flat parameter vector. */
export interface Weight {
  readonly name: string;
  readonly dims: readonly number[];
  /** Inputs that one output sums over; 0 for a bias. */
  readonly fanIn: number;
}

/**
 * A network as a list of layers, from one sample's shape to its logits.
 *
 * @param shape - of one sample: [C, H, W] or [H, W] for a `cnn`, anything for the others
 * @throws RefusedError `training-refused` when the network does not fit the shape
 */
export function layersOf(network: NetworkSpec, shape: readonly number[], classes: number): readonly Layer[] {
  switch (network.kind) {
    case 'linear':
      return denseLayers(product(shape), [], classes);
    case 'mlp':
      return denseLayers(product(shape), network.hidden, classes);
    case 'cnn':
      return convolutionLayers(network, shape, classes);
  }
}

/** The weights of a network in the order they have in the flat parameter vector. */
export function weightsOf(layers: readonly Layer[]): readonly Weight[] {
  return layers.flatMap((layer) => {
    if (layer.kind === 'convolution') {
      return weightAndBias(layer.name, [layer.to, layer.from, 3, 3], layer.from * 9, layer.to);
    }
    if (layer.kind === 'dense') {
      return weightAndBias(layer.name, [layer.from, layer.to], layer.from, layer.to);
    }
    return [];
  });
}

/** Number of values in a block or in a sample. */
export function product(dims: readonly number[]): number {
  return dims.reduce((count, axis) => count * axis, 1);
}

function weightAndBias(
  name: string,
  dims: readonly number[],
  fanIn: number,
  outputs: number,
): readonly Weight[] {
  return [
    { name: `${name}.weight`, dims, fanIn },
    { name: `${name}.bias`, dims: [outputs], fanIn: 0 },
  ];
}

function denseLayers(inputs: number, hidden: readonly number[], classes: number): readonly Layer[] {
  const sizes = [inputs, ...hidden, classes];
  return [
    { kind: 'reshape', shape: [inputs] },
    ...hidden.flatMap((to, index): readonly Layer[] => [
      { kind: 'dense', name: `dense${index + 1}`, from: sizes[index]!, to },
      { kind: 'relu' },
    ]),
    { kind: 'dense', name: `dense${hidden.length + 1}`, from: sizes.at(-2)!, to: classes },
  ];
}

function convolutionLayers(
  { channels, pool, hidden }: Extract<NetworkSpec, { kind: 'cnn' }>,
  shape: readonly number[],
  classes: number,
): readonly Layer[] {
  const image = shape.length === 2 ? [1, ...shape] : shape;
  let [depth, height, width] = image;
  if (image.length !== 3 || depth === undefined || height === undefined || width === undefined) {
    throw refusal(`expected samples of shape [C, H, W] or [H, W] for a cnn, got [${shape.join(', ')}]`);
  }
  if (pool !== undefined && pool.length !== channels.length) {
    throw refusal(
      `expected network.pool to have one entry a convolution, ${channels.length}, got ${pool.length}`,
    );
  }
  const layers: Layer[] = [{ kind: 'reshape', shape: image }];
  for (const [index, to] of channels.entries()) {
    layers.push({ kind: 'convolution', name: `convolution${index + 1}`, from: depth, to }, { kind: 'relu' });
    depth = to;
    if (!pool?.[index]) continue;
    if (height < 2 || width < 2) {
      throw refusal(
        `expected at least 2×2 values before network.pool[${index}], got ${height}×${width}: pool less`,
      );
    }
    layers.push({ kind: 'pool' });
    height = Math.floor(height / 2);
    width = Math.floor(width / 2);
  }
  return [...layers, ...denseLayers(depth * height * width, hidden, classes)];
}

function refusal(message: string): RefusedError {
  return new RefusedError('training-refused', message);
}
