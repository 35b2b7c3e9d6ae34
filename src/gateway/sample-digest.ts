import { createHash } from 'node:crypto';

/**
 * Names a sample by its values, so that noise can be keyed by it.
 * @param values - row-major [samples, …]; requests are read so that 0 is never −0, which a model cannot tell apart
 * @returns SHA-256, hex
 */
export function digestOfSample(values: Float32Array, samples: number, index: number): string {
  const size = values.length / samples;
  const sample = new Uint8Array(values.buffer, values.byteOffset + 4 * index * size, 4 * size);
  return createHash('sha256').update(sample).digest('hex');
}
