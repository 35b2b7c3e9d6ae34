import type { Samples } from '../../../../src/core/attacks/index.js';
import { type BuiltInParameters, builtInParametersSchema } from '../../../../src/core/spec/index.js';
import { importedNetwork } from '../../../../src/core/training/built-in/imported-network.js';
import { layeredNetwork } from '../../../../src/core/training/built-in/layered-network.js';
import type { Network } from '../../../../src/core/training/built-in/network.js';
import { optimize } from '../../../../src/core/training/built-in/optimize.js';
import { CLASSES, SHAPE } from './digits.js';

export interface Recipe {
  readonly seed: number;
  /** Parameters of the built-in trainer. */
  readonly parameters: Readonly<Record<string, unknown>>;
}

/**
 * Trains on digits by the built-in trainer's own code.
 *
 * @param data - samples of any shape
 * @param start - a file to begin with, in the place of a network of the parameters
 */
export async function trainDigits(
  { seed, parameters: given }: Recipe,
  { train, validation }: { readonly train: Samples; readonly validation: Samples },
  { shape = SHAPE, start }: { readonly shape?: readonly number[]; readonly start?: Uint8Array } = {},
): Promise<Uint8Array> {
  const parameters = builtInParametersSchema.parse(given);
  const network = networkOf(parameters, shape, start);
  const size = shape.reduce((product, axis) => product * axis, 1);
  const zeros = new Float32Array(network.count);
  const { theta } = await optimize(
    {
      network,
      train,
      validation,
      minimum: new Float32Array(size),
      maximum: new Float32Array(size).fill(1),
      parameters,
      seed,
    },
    { done: 0, lossSum: 0, theta: network.initial(seed), firstMoment: zeros, secondMoment: zeros },
    async () => undefined,
  );
  return network.encode(theta);
}

function networkOf({ network }: BuiltInParameters, shape: readonly number[], start?: Uint8Array): Network {
  if (network.kind !== 'onnx') return layeredNetwork(network, shape, CLASSES);
  if (!start) throw new Error('expected a file to begin with');
  return importedNetwork(start, network, shape, CLASSES);
}
