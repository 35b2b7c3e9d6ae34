import type { GraphBuilder } from '../../onnx/index.js';
import type { Layer } from './layers.js';

/** A classifier whose trainable weights are one flat vector `theta`, so that a step can take it in and give it out. */
export interface Network {
  /** Version of the operator set that its graphs follow. */
  readonly opset: number;
  /** Shape of one sample. */
  readonly shape: readonly number[];
  readonly classes: number;
  /** Length of `theta`. */
  readonly count: number;
  /** What it is made of, where it was built here. */
  readonly layers?: readonly Layer[];
  /** The weights to start from. */
  initial(seed: number): Float32Array;
  /**
   * Adds the weights to a graph. @param theta - value of shape [count]
   * @returns what adds a pass through the network, as often as one is needed
   */
  bind(builder: GraphBuilder, theta: string): BoundNetwork;
  /** The network with these weights as an ONNX file. Equal weights give equal bytes. */
  encode(theta: Float32Array): Uint8Array;
}

export interface BoundNetwork {
  /** The value of a named weight, in its own shape. */
  weight(name: string): string;
  /**
   * @param input - value of shape [N, …shape]
   * @param masks - values to multiply the output of hidden dense layers by, [N, width], by the layer's name
   * @returns the value of the logits, [N, classes]
   */
  logits(input: string, masks?: Readonly<Record<string, string>>): string;
}
