import type { SuspectData } from './detector.js';

/** Frequencies along each side that are kept, as perceptual hashes do. */
const KEPT = 8;

/**
 * The low frequencies of pictures [channels, height, width], channels averaged: a discrete cosine transform in parts of the
 * valid range, without the mean brightness. Noise and small retouches hardly move them.
 *
 * @returns row-major [n, at most 63]
 */
export function lowFrequencies({ ids, inputs, minimum, maximum, shape }: SuspectData): Float64Array {
  const [channels, height, width] = shape as [number, number, number];
  const size = channels * height * width;
  const rows = Math.min(KEPT, height);
  const columns = Math.min(KEPT, width);
  const kept = rows * columns - 1;
  const vertical = cosines(height, rows);
  const horizontal = cosines(width, columns);
  const result = new Float64Array(ids.length * kept);
  const grey = new Float64Array(height * width);
  const half = new Float64Array(height * columns);
  for (let index = 0; index < ids.length; index++) {
    grey.fill(0);
    for (let at = 0; at < size; at++) {
      const range = maximum[at]! - minimum[at]!;
      if (range > 0)
        grey[at % (height * width)]! += (inputs[index * size + at]! - minimum[at]!) / range / channels;
    }
    for (let y = 0; y < height; y++) {
      for (let v = 0; v < columns; v++) {
        let sum = 0;
        for (let x = 0; x < width; x++) sum += grey[y * width + x]! * horizontal[v * width + x]!;
        half[y * columns + v] = sum;
      }
    }
    for (let u = 0; u < rows; u++) {
      for (let v = 0; v < columns; v++) {
        if (u === 0 && v === 0) continue;
        let sum = 0;
        for (let y = 0; y < height; y++) sum += half[y * columns + v]! * vertical[u * height + y]!;
        result[index * kept + u * columns + v - 1] = sum;
      }
    }
  }
  return result;
}

/** Orthonormal rows of the DCT-II. */
function cosines(length: number, count: number): Float64Array {
  const table = new Float64Array(count * length);
  for (let k = 0; k < count; k++) {
    const scale = Math.sqrt((k === 0 ? 1 : 2) / length);
    for (let x = 0; x < length; x++)
      table[k * length + x] = scale * Math.cos((Math.PI * (x + 0.5) * k) / length);
  }
  return table;
}
