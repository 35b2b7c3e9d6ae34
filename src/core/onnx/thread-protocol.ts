import type { Tensor, TensorData, ValueInfo } from './model.js';
import type { Feeds, Results } from './session.js';
import { dataConstructors } from './tensor.js';

/** What the session's owner sends to its thread. */
export interface RunRequest {
  readonly feeds: Feeds;
}

/** What the thread answers: first `loaded` or `failed`, then one `done` or `failed` a request, in order. */
export type ThreadMessage =
  | {
      readonly kind: 'loaded';
      readonly inputs: readonly ValueInfo[];
      readonly outputNames: readonly string[];
    }
  | { readonly kind: 'done'; readonly results: Results }
  | { readonly kind: 'failed'; readonly message: string };

/** Copies tensors into buffers of their own, to be moved to another thread while the owner keeps the original. */
export function detached(tensors: Readonly<Record<string, Tensor>>): {
  readonly tensors: Readonly<Record<string, Tensor>>;
  readonly buffers: ArrayBuffer[];
} {
  const buffers: ArrayBuffer[] = [];
  const copies = Object.entries(tensors).map(([name, tensor]): [string, Tensor] => {
    const data = copyOf(tensor);
    buffers.push(data.buffer as ArrayBuffer);
    return [name, { type: tensor.type, dims: tensor.dims, data }];
  });
  return { tensors: Object.fromEntries(copies), buffers };
}

/** Not `data.slice()`: on a Node Buffer that is a view of the same memory. */
function copyOf({ type, data }: Tensor): TensorData {
  if (type === 'string') throw new TypeError('tensors of strings cannot be moved');
  const copy = new dataConstructors[type](data.length);
  (copy as Uint8Array).set(data as Uint8Array);
  return copy;
}
