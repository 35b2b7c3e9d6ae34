import { modelRule } from '../rule.js';
import type { DataField, TensorView } from '../view.js';

/** Bits of an element, and the fields of `TensorProto` that may hold it, by its number in `TensorProto.DataType`. */
const types: Readonly<Record<number, { readonly bits: number; readonly fields: readonly DataField[] }>> = {
  1: { bits: 32, fields: ['floatData', 'rawData'] },
  2: { bits: 8, fields: ['int32Data', 'rawData'] },
  3: { bits: 8, fields: ['int32Data', 'rawData'] },
  4: { bits: 16, fields: ['int32Data', 'rawData'] },
  5: { bits: 16, fields: ['int32Data', 'rawData'] },
  6: { bits: 32, fields: ['int32Data', 'rawData'] },
  7: { bits: 64, fields: ['int64Data', 'rawData'] },
  8: { bits: 8, fields: ['stringData'] },
  9: { bits: 8, fields: ['int32Data', 'rawData'] },
  10: { bits: 16, fields: ['int32Data', 'rawData'] },
  11: { bits: 64, fields: ['doubleData', 'rawData'] },
  12: { bits: 32, fields: ['uint64Data', 'rawData'] },
  13: { bits: 64, fields: ['uint64Data', 'rawData'] },
  14: { bits: 64, fields: ['floatData', 'rawData'] },
  15: { bits: 128, fields: ['doubleData', 'rawData'] },
  16: { bits: 16, fields: ['int32Data', 'rawData'] },
  ...Object.fromEntries(
    [17, 18, 19, 20, 24].map((type) => [type, { bits: 8, fields: ['int32Data', 'rawData'] }]),
  ),
  ...Object.fromEntries([21, 22, 23].map((type) => [type, { bits: 4, fields: ['int32Data', 'rawData'] }])),
};

/** Bytes of one element of a type; a whole one where two share a byte. */
export function bytesOf(type: number): number {
  return Math.max(1, (types[type]?.bits ?? 8) / 8);
}

/** @returns the product; `undefined` where a length is negative or the product passes `most` */
export function product(dims: readonly bigint[], most: number): number | undefined {
  let count = 1n;
  for (const length of dims) {
    if (length < 0n) return undefined;
    count *= length;
    // Before a zero can hide an overflow that another reader runs into on the way.
    if (count > BigInt(most)) return undefined;
  }
  return Number(count);
}

export const tensorShape = modelRule({
  id: 'ASSAY-ONNX-030',
  name: 'shape-overflow',
  level: 'error',
  summary: 'Lengths of axes are not negative, and no product of them overflows.',
  advice: 'Export the model again; no honest exporter writes such a shape.',
  *check({ tensors, sparse, values }, { limits }) {
    const wrong = (dims: readonly bigint[], rank = dims.length): string | undefined => {
      if (rank > limits.rank) return `expected at most ${limits.rank} axes, got ${rank}`;
      if (product(dims, limits.elements) !== undefined) return undefined;
      return `expected a shape of at most ${limits.elements} elements, got [${dims.join(', ')}]`;
    };
    for (const { where, offset, dims, rank } of tensors) {
      const message = wrong(dims, rank);
      if (message) yield { where, offset, message };
    }
    for (const { where, offset, dims } of sparse) {
      const message = wrong(dims);
      if (message) yield { where, offset, message };
    }
    for (const { where, offset, dims } of values) {
      const message = wrong(
        dims.filter((length) => length !== undefined),
        dims.length,
      );
      if (message) yield { where, offset, message };
    }
  },
});

export const tensorData = modelRule({
  id: 'ASSAY-ONNX-031',
  name: 'tensor-data',
  level: 'error',
  summary: 'The data of a tensor is as long as its type and shape say, in one field that fits the type.',
  advice: 'Export the model again: its weights are cut off, or more than they say.',
  *check({ tensors }, { limits }) {
    for (const tensor of tensors) {
      for (const message of dataProblems(tensor, limits.elements)) {
        yield { where: tensor.where, offset: tensor.offset, message };
      }
    }
  },
});

function* dataProblems(tensor: TensorView, most: number): Generator<string> {
  const { type, dims, data, external, segmented } = tensor;
  const known = types[type];
  if (!known) {
    yield `expected a known element type, got ${type}`;
    return;
  }
  if (segmented) yield 'expected the whole tensor, got a segment of one';
  const given = Object.entries(data) as readonly (readonly [DataField, number])[];
  if (external) {
    if (given.length > 0) yield `expected data outside the file alone, got ${given[0]![0]} too`;
    return;
  }
  const stray = given.find(([field]) => !known.fields.includes(field));
  if (stray) yield `expected data in ${known.fields.join(' or ')}, got ${stray[0]}`;
  if (given.length > 1)
    yield `expected data in one field, got ${given.map(([field]) => field).join(' and ')}`;
  const count = product(dims, most);
  if (stray || given.length > 1 || count === undefined) return;
  const [field, got] = given[0] ?? ['rawData', 0];
  const complex = type === 14 || type === 15 ? 2 : 1;
  const packed = field === 'int32Data' && known.bits < 8;
  const expected =
    field === 'rawData'
      ? Math.ceil((count * known.bits) / 8)
      : packed
        ? Math.ceil((count * known.bits) / 8)
        : count * complex;
  if (got !== expected) {
    const unit = field === 'rawData' ? 'bytes' : 'elements';
    yield `expected ${expected} ${unit} for shape [${dims.join(', ')}], got ${got}`;
  }
}

export const sparseTensor = modelRule({
  id: 'ASSAY-ONNX-032',
  name: 'sparse-tensor',
  level: 'error',
  summary: 'The indices of a sparse tensor lie inside its shape, each once, in ascending order.',
  advice: 'Export the tensor as a dense one.',
  *check({ sparse }, { limits }) {
    for (const { where, offset, values, indices, dims } of sparse) {
      const at = { where, offset };
      const size = product(dims, limits.elements);
      if (!values || !indices || size === undefined) {
        yield { ...at, message: 'expected values, indices and a shape' };
        continue;
      }
      const [count = 0n] = values.dims;
      const linear = indices.rank === 1;
      const right = linear
        ? indices.dims[0] === count
        : indices.rank === 2 && indices.dims[0] === count && indices.dims[1] === BigInt(dims.length);
      if (values.rank !== 1 || !right || indices.type !== 7) {
        yield { ...at, message: `expected int64 indices [${count}] or [${count}, ${dims.length}]` };
        continue;
      }
      const width = linear ? 1 : dims.length;
      const needed = Number(count) * width;
      const found = indices.integers ?? [];
      if (found.length < needed) {
        yield { ...at, message: `expected few enough indices to be checked one by one, got ${needed}` };
        continue;
      }
      let last = -1n;
      for (let i = 0; i < Number(count); i++) {
        const index = linear ? found[i]! : linearIndex(found.slice(i * width, (i + 1) * width), dims);
        if (index === undefined || index < 0n || index >= BigInt(size)) {
          yield { ...at, message: `expected index ${i} inside shape [${dims.join(', ')}]` };
          break;
        }
        if (index <= last) {
          yield { ...at, message: `expected ascending indices, got ${index} after ${last}` };
          break;
        }
        last = index;
      }
    }
  },
});

function linearIndex(index: readonly bigint[], dims: readonly bigint[]): bigint | undefined {
  let linear = 0n;
  for (const [axis, length] of dims.entries()) {
    const at = index[axis]!;
    if (at < 0n || at >= length) return undefined;
    linear = linear * length + at;
  }
  return linear;
}

export const stringTensor = modelRule({
  id: 'ASSAY-ONNX-033',
  name: 'string-tensor',
  level: 'warning',
  summary: 'Tensors of text are data that no check of numbers covers.',
  advice: 'Train on numbered classes, and keep their names outside the model.',
  *check({ tensors }) {
    for (const { where, offset, type, strings } of tensors) {
      if (type === 8) yield { where, offset, message: `expected numbers, got ${strings.length} texts` };
    }
  },
});
