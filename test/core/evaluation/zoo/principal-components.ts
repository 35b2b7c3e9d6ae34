import type { Samples } from '../../../../src/core/attacks/index.js';
import { randomStream } from '../../../../src/core/random/index.js';
import { SIZE } from './digits.js';

export interface PrincipalComponents {
  /** SIZE values. */
  readonly mean: Float64Array;
  /** The projection on the space of the first components: SIZE × SIZE values, row-major, symmetric. */
  readonly projection: Float64Array;
}

/** Principal components by orthogonal iteration on the covariance. */
export function principalComponents({ inputs, ids }: Samples, count: number): PrincipalComponents {
  const n = ids.length;
  const mean = Float64Array.from({ length: SIZE }, (_, i) => {
    let sum = 0;
    for (let row = 0; row < n; row++) sum += inputs[row * SIZE + i]!;
    return sum / n;
  });
  const covariance = new Float64Array(SIZE * SIZE);
  for (let row = 0; row < n; row++) {
    const centred = mean.map((middle, i) => inputs[row * SIZE + i]! - middle);
    for (let i = 0; i < SIZE; i++) {
      for (let j = 0; j < SIZE; j++) covariance[i * SIZE + j]! += (centred[i]! * centred[j]!) / n;
    }
  }
  const stream = randomStream(1, 'principal-components');
  let basis: readonly Float64Array[] = Array.from({ length: count }, () =>
    Float64Array.from({ length: SIZE }, () => stream.normal()),
  );
  for (let round = 0; round < 30; round++) {
    basis = orthonormal(
      basis.map((vector) =>
        vector.map((_, i) => vector.reduce((sum, value, j) => sum + covariance[i * SIZE + j]! * value, 0)),
      ),
    );
  }
  const projection = Float64Array.from({ length: SIZE * SIZE }, (_, at) =>
    basis.reduce((sum, vector) => sum + vector[Math.floor(at / SIZE)]! * vector[at % SIZE]!, 0),
  );
  return { mean, projection };
}

/** Gram–Schmidt. */
function orthonormal(vectors: readonly Float64Array[]): Float64Array[] {
  const done: Float64Array[] = [];
  for (const vector of vectors) {
    let rest = vector;
    for (const other of done) {
      const share = rest.reduce((sum, value, i) => sum + value * other[i]!, 0);
      rest = rest.map((value, i) => value - share * other[i]!);
    }
    const length = Math.sqrt(rest.reduce((sum, value) => sum + value * value, 0));
    done.push(rest.map((value) => value / length));
  }
  return done;
}
