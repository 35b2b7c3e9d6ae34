import type { Dataset } from '../data/index.js';
import { builtInParametersSchema } from '../spec/index.js';
import { layeredNetwork } from './built-in/layered-network.js';
import { weightsOf } from './built-in/layers.js';
import { optimize } from './built-in/optimize.js';
import { weightValues } from './built-in/theta.js';

export interface ShallowTrainingOptions {
  readonly shape: readonly number[];
  readonly classes: number;
  /** Valid range of each input value. */
  readonly minimum: Float32Array;
  readonly maximum: Float32Array;
  /** Draws the weights: an integer in [0, 2³²). */
  readonly seed: number;
  readonly onProgress?: (fraction: number) => void;
  readonly signal?: AbortSignal;
}

/** A network with one hidden layer, quickly trained to look at data with. */
export interface ShallowNetwork {
  /** One input [N, …shape], one output of logits [N, classes]. */
  readonly onnx: Uint8Array;
  /** Units of the hidden layer. */
  readonly width: number;
  /** Row-major [inputs, width]: a hidden unit is max(0, bias + input · weight). */
  readonly weight: Float32Array;
  readonly bias: Float32Array;
  /** Row-major [width, classes]: logits are outputBias + hidden · outputWeight. */
  readonly outputWeight: Float32Array;
  readonly outputBias: Float32Array;
}

const WIDTH = 64;

/**
 * Trains a small network on all of the data, long enough to learn what there is, a trigger included, and with too much
 * dropout and weight decay to learn samples by heart.
 *
 * @param samples - of the whole data, of which `train` may be a part: they set the number of epochs
 * @throws RefusedError `training-refused` when training diverges
 */
export async function trainShallow(
  train: Dataset,
  options: ShallowTrainingOptions,
  samples = train.ids.length,
): Promise<ShallowNetwork> {
  const { shape, classes, seed, signal, onProgress } = options;
  const spec = { kind: 'mlp' as const, hidden: [WIDTH] };
  const parameters = builtInParametersSchema.parse({
    network: spec,
    epochs: Math.max(5, Math.ceil(1500 / Math.ceil(samples / 32))),
    batchSize: 32,
    learningRate: 0.003,
    weightDecay: 0.01,
    dropout: 0.3,
  });
  const network = layeredNetwork(spec, shape, classes);
  const zeros = new Float32Array(network.count);
  const { theta } = await optimize(
    { ...options, network, train, validation: train, parameters },
    { done: 0, lossSum: 0, theta: network.initial(seed), firstMoment: zeros, secondMoment: zeros },
    async ({ state, total }) => {
      signal?.throwIfAborted();
      onProgress?.(state.done / total);
    },
  );
  const [weight, bias, outputWeight, outputBias] = weightValues(weightsOf(network.layers!), theta).map(
    ([, values]) => values,
  ) as [Float32Array, Float32Array, Float32Array, Float32Array];
  return { onnx: network.encode(theta), width: WIDTH, weight, bias, outputWeight, outputBias };
}
