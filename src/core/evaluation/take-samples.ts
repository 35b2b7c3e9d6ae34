import type { Samples } from '../attacks/index.js';

/** Some of the samples, in the order of their positions. */
export function takeSamples({ ids, inputs, labels }: Samples, positions: readonly number[]): Samples {
  const size = ids.length === 0 ? 0 : inputs.length / ids.length;
  const taken = new Float32Array(positions.length * size);
  positions.forEach((position, i) => {
    taken.set(inputs.subarray(position * size, (position + 1) * size), i * size);
  });
  return {
    ids: positions.map((position) => ids[position]!),
    inputs: taken,
    labels: Uint32Array.from(positions, (position) => labels[position]!),
  };
}
