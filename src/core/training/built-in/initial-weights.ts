import { randomStream } from '../../random/index.js';
import { product, type Weight } from './layers.js';

/**
 * Weights to start from, as one flat vector: normal with variance 2 / fan-in, biases zero. Each block has its own stream
 * of draws, so that adding a layer does not change the others.
 *
 * Source: He, Zhang, Ren, Sun, "Delving deep into rectifiers", ICCV 2015, section 2.2.
 */
export function initialWeights(weights: readonly Weight[], seed: number): Float32Array {
  const theta = new Float32Array(weights.reduce((total, { dims }) => total + product(dims), 0));
  let at = 0;
  for (const { name, dims, fanIn } of weights) {
    const count = product(dims);
    if (fanIn > 0) {
      const stream = randomStream(seed, 'init', name);
      const deviation = Math.sqrt(2 / fanIn);
      for (let i = 0; i < count; i++) theta[at + i] = stream.normal() * deviation;
    }
    at += count;
  }
  return theta;
}
