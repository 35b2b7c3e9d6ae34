import { RefusedError } from '../../errors/index.js';
import type { NetworkSpec } from '../../spec/index.js';

/** One step of a network. Layers with weights are named; their weights are `NAME.weight` and `NAME.bias`. */
export type Layer =
  | { readonly kind: 'reshape'; readonly shape: readonly number[] }
  | {
      readonly kind: 'convolution';
      readonly name: string;
      readonly from: number;
      readonly to: number;
      /** Side of the square kernel. */
      readonly kernel: number;
      readonly stride: number;
      readonly padding: number;
    }
  /** `after`: the hidden dense layer whose output it is. */
  | { readonly kind: 'relu'; readonly after?: string }
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
export function layersOf(
  network: Exclude<NetworkSpec, { kind: 'onnx' }>,
  shape: readonly number[],
  classes: number,
): readonly Layer[] {
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
      const { from, to, kernel } = layer;
      return weightAndBias(layer.name, [to, from, kernel, kernel], from * kernel * kernel, to);
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
      { kind: 'relu', after: `dense${index + 1}` },
    ]),
    { kind: 'dense', name: `dense${hidden.length + 1}`, from: sizes.at(-2)!, to: classes },
  ];
}

function convolutionLayers(
  spec: Extract<NetworkSpec, { kind: 'cnn' }>,
  shape: readonly number[],
  classes: number,
): readonly Layer[] {
  const { channels, pool, hidden } = spec;
  const image = shape.length === 2 ? [1, ...shape] : shape;
  let [depth, height, width] = image;
  if (image.length !== 3 || depth === undefined || height === undefined || width === undefined) {
    throw refusal(`expected samples of shape [C, H, W] or [H, W] for a cnn, got [${shape.join(', ')}]`);
  }
  for (const field of ['kernel', 'stride', 'padding', 'pool'] as const) {
    const given = spec[field];
    if (given === undefined || given.length === channels.length) continue;
    throw refusal(
      `expected network.${field} to have one entry a convolution, ${channels.length}, got ${given.length}`,
    );
  }
  const layers: Layer[] = [{ kind: 'reshape', shape: image }];
  for (const [index, to] of channels.entries()) {
    const kernel = spec.kernel?.[index] ?? 3;
    const stride = spec.stride?.[index] ?? 1;
    const padding = spec.padding?.[index] ?? Math.floor((kernel - 1) / 2);
    const name = `convolution${index + 1}`;
    if (Math.min(height, width) + 2 * padding < kernel) {
      throw refusal(
        `expected at least ${kernel}×${kernel} values for the kernel of ${name}, got ${height}×${width} and padding ${padding}`,
      );
    }
    layers.push({ kind: 'convolution', name, from: depth, to, kernel, stride, padding }, { kind: 'relu' });
    depth = to;
    height = Math.floor((height + 2 * padding - kernel) / stride) + 1;
    width = Math.floor((width + 2 * padding - kernel) / stride) + 1;
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
