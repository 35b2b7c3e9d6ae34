/** What a network with one hidden layer learned: see `ShallowNetwork` in `core/training`. */
export interface Embedding {
  /** The network, with an input [N, …shape] and logits [N, classes]. */
  readonly onnx: Uint8Array;
  readonly width: number;
  /** Row-major [inputs, width]. */
  readonly weight: Float32Array;
  readonly bias: Float32Array;
  /** Row-major [width, classes]. */
  readonly outputWeight: Float32Array;
  readonly outputBias: Float32Array;
}

/** What the hidden layer makes of samples: row-major [n, width]. Zeros are skipped, as most of a text's vector is. */
export function hiddenOf(inputs: Float32Array, { width, weight, bias }: Embedding): Float64Array {
  const size = weight.length / width;
  const n = inputs.length / size;
  const hidden = new Float64Array(n * width);
  for (let row = 0; row < n; row++) {
    const units = hidden.subarray(row * width, (row + 1) * width);
    units.set(bias);
    for (let i = 0; i < size; i++) {
      const value = inputs[row * size + i]!;
      if (value === 0) continue;
      for (let unit = 0; unit < width; unit++) units[unit]! += value * weight[i * width + unit]!;
    }
    for (let unit = 0; unit < width; unit++) units[unit] = Math.max(0, units[unit]!);
  }
  return hidden;
}

/** What the network answers: row-major [n, classes] logits. */
export function logitsOf(hidden: Float64Array, { width, outputWeight, outputBias }: Embedding): Float64Array {
  const classes = outputBias.length;
  const n = hidden.length / width;
  const logits = new Float64Array(n * classes);
  for (let row = 0; row < n; row++) {
    for (let c = 0; c < classes; c++) {
      let sum = outputBias[c]!;
      for (let unit = 0; unit < width; unit++)
        sum += hidden[row * width + unit]! * outputWeight[unit * classes + c]!;
      logits[row * classes + c] = sum;
    }
  }
  return logits;
}
