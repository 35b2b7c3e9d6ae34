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
  | {
      readonly kind: 'done';
      readonly results: Results;
      /** The memory that the feeds came in, given back. */
      readonly spare: readonly ArrayBuffer[];
    }
  | { readonly kind: 'failed'; readonly message: string };

/**
 * Copies tensors into buffers of their own, to be moved to another thread while the owner keeps the original.
 *
 * @param spare - buffers to use where they are long enough; what is used is taken out
 */
export function detached(
  tensors: Readonly<Record<string, Tensor>>,
  spare: ArrayBuffer[] = [],
): {
  readonly tensors: Readonly<Record<string, Tensor>>;
  readonly buffers: ArrayBuffer[];
} {
  const buffers: ArrayBuffer[] = [];
  const copies = Object.entries(tensors).map(([name, tensor]): [string, Tensor] => {
    const data = copyOf(tensor, spare);
    buffers.push(data.buffer as ArrayBuffer);
    return [name, { type: tensor.type, dims: tensor.dims, data }];
  });
  return { tensors: Object.fromEntries(copies), buffers };
}

/** Not `data.slice()`: on a Node Buffer that is a view of the same memory. */
function copyOf({ type, data }: Tensor, spare: ArrayBuffer[]): TensorData {
  if (type === 'string') throw new TypeError('tensors of strings cannot be moved');
  const fitting = spare.findIndex(({ byteLength }) => byteLength >= data.byteLength);
  const [buffer] = fitting < 0 ? [] : spare.splice(fitting, 1);
  const Data = dataConstructors[type];
  const copy = buffer ? new Data(buffer, 0, data.length) : new Data(data.length);
  (copy as Uint8Array).set(data as Uint8Array);
  return copy;
}
