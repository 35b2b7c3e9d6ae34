/** Sweeps of rotations: matrices of this size settle in about eight. */
const SWEEPS = 30;

export interface PrincipalAxes {
  readonly mean: Float64Array;
  /** Row-major [axes, width], unit length, the axis of the largest variance first. */
  readonly axes: Float64Array;
  /** Variance along each. */
  readonly variances: Float64Array;
}

/**
 * The axes along which rows vary most: eigenvectors of their covariance, by Jacobi's rotations.
 *
 * @param rows - row-major [n, width]
 * @param included - rows that count; default: all
 */
export function principalAxes(
  rows: Float64Array,
  width: number,
  included?: readonly number[],
): PrincipalAxes {
  const indices = included ?? Array.from({ length: rows.length / width }, (_, index) => index);
  const n = Math.max(1, indices.length);
  const mean = new Float64Array(width);
  for (const row of indices) for (let i = 0; i < width; i++) mean[i]! += rows[row * width + i]! / n;
  const covariance = new Float64Array(width * width);
  for (const row of indices) {
    for (let i = 0; i < width; i++) {
      const one = rows[row * width + i]! - mean[i]!;
      for (let j = i; j < width; j++)
        covariance[i * width + j]! += (one * (rows[row * width + j]! - mean[j]!)) / n;
    }
  }
  for (let i = 0; i < width; i++)
    for (let j = 0; j < i; j++) covariance[i * width + j] = covariance[j * width + i]!;
  const vectors = rotate(covariance, width);
  const order = Array.from({ length: width }, (_, i) => i).sort(
    (one, other) => covariance[other * width + other]! - covariance[one * width + one]! || one - other,
  );
  const axes = new Float64Array(width * width);
  order.forEach((from, to) => {
    for (let i = 0; i < width; i++) axes[to * width + i] = vectors[i * width + from]!;
  });
  return { mean, axes, variances: Float64Array.from(order, (i) => Math.max(0, covariance[i * width + i]!)) };
}

/** Where a row lies along the first axes. */
export function alongAxes(rows: Float64Array, { mean, axes }: PrincipalAxes, count: number): Float64Array {
  const width = mean.length;
  const n = rows.length / width;
  const result = new Float64Array(n * count);
  for (let row = 0; row < n; row++) {
    for (let axis = 0; axis < count; axis++) {
      let sum = 0;
      for (let i = 0; i < width; i++) sum += (rows[row * width + i]! - mean[i]!) * axes[axis * width + i]!;
      result[row * count + axis] = sum;
    }
  }
  return result;
}

/** Makes a symmetric matrix diagonal, in place. @returns the rotation, eigenvectors in its columns */
function rotate(a: Float64Array, width: number): Float64Array {
  const v = new Float64Array(width * width);
  for (let i = 0; i < width; i++) v[i * width + i] = 1;
  const scale = a.reduce((sum, value) => sum + value * value, 0);
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    let off = 0;
    for (let p = 0; p < width; p++) {
      for (let q = p + 1; q < width; q++) {
        const apq = a[p * width + q]!;
        off += apq * apq;
        if (apq === 0) continue;
        const theta = (a[q * width + q]! - a[p * width + p]!) / (2 * apq);
        const t = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
        const c = 1 / Math.sqrt(t * t + 1);
        turn(a, width, p, q, c, t * c);
        for (let k = 0; k < width; k++) {
          const [vp, vq] = [v[k * width + p]!, v[k * width + q]!];
          v[k * width + p] = c * vp - t * c * vq;
          v[k * width + q] = t * c * vp + c * vq;
        }
      }
    }
    if (off <= 1e-24 * scale) break;
  }
  return v;
}

function turn(a: Float64Array, width: number, p: number, q: number, c: number, s: number): void {
  for (let k = 0; k < width; k++) {
    const [kp, kq] = [a[k * width + p]!, a[k * width + q]!];
    a[k * width + p] = c * kp - s * kq;
    a[k * width + q] = s * kp + c * kq;
  }
  for (let k = 0; k < width; k++) {
    const [pk, qk] = [a[p * width + k]!, a[q * width + k]!];
    a[p * width + k] = c * pk - s * qk;
    a[q * width + k] = s * pk + c * qk;
  }
}
