import type { Tensor } from '../model.js';
import { maxElements } from './fold.js';
import type { Fact } from './operator.js';

const foldable: ReadonlySet<string> = new Set(['float', 'int64', 'int32', 'bool']);

/** What is known about a constant: small tensors with their values. */
export function factOfTensor({ type, dims, data }: Tensor): Fact {
  const small = data.length <= maxElements && foldable.has(type);
  return { type, dims, ...(small && { elements: Array.from(data as Iterable<number | bigint>, Number) }) };
}
