import type { Tensor } from '../model.js';
import type { Fact } from './operator.js';

/** Enough for shapes, axes and index lists; larger integer tensors are data. */
const maxElements = 256;

/** What is known about a constant: small integers and truth values with their values. */
export function factOfTensor({ type, dims, data }: Tensor): Fact {
  const small = data.length <= maxElements && (type === 'int64' || type === 'int32' || type === 'bool');
  return { type, dims, ...(small && { elements: Array.from(data as Iterable<number | bigint>, Number) }) };
}
