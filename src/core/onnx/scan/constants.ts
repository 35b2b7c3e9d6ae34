import type { ModelView, NodeView, TensorView } from './view.js';

/** What is known of integers that a model holds as constants, by the name of the value. */
export interface Constants {
  /** At most the first 128; `undefined` when they are computed, or of another type. */
  integers(name: string | undefined): readonly bigint[] | undefined;
  tensor(name: string | undefined): TensorView | undefined;
  producer(name: string | undefined): NodeView | undefined;
}

/** Initializers and `Constant` nodes. Names are unique in a model that passes; in others the last one counts. */
export function constantsOf({ graphs, nodes }: ModelView): Constants {
  const tensors = new Map<string, TensorView>();
  const integers = new Map<string, readonly bigint[]>();
  const producers = new Map<string, NodeView>();
  for (const { initializers } of graphs) for (const tensor of initializers) tensors.set(tensor.name, tensor);
  for (const node of nodes) {
    for (const output of node.outputs) producers.set(output, node);
    const [output] = node.outputs;
    if (node.opType !== 'Constant' || output === undefined) continue;
    for (const { tensor, integer, integers: list, name } of node.attributes) {
      if (tensor) tensors.set(output, tensor);
      else if (name === 'value_int' && integer !== undefined) integers.set(output, [integer]);
      else if (name === 'value_ints') integers.set(output, list);
    }
  }
  return {
    integers: (name) =>
      name === undefined ? undefined : (integers.get(name) ?? tensors.get(name)?.integers),
    tensor: (name) => (name === undefined ? undefined : tensors.get(name)),
    producer: (name) => (name === undefined ? undefined : producers.get(name)),
  };
}
