import type { Model, Node } from './model.js';
import { operatorOf } from './operators/registry.js';

/**
 * Nodes through which the gradient of a model's outputs by its inputs is a straight-through estimate, and no derivative:
 * attacks that follow it may miss what others find. None where all gradients are true ones.
 */
export function straightThroughNodes({ graph }: Model): readonly Pick<Node, 'name' | 'opType'>[] {
  const carriesGradients = ({ opType }: Node): boolean => typeof operatorOf(opType)?.backward === 'function';
  const moving = new Set(
    graph.inputs.flatMap(({ name }) => (Object.hasOwn(graph.initializers, name) ? [] : [name])),
  );
  for (const node of graph.nodes.filter(carriesGradients)) {
    if (node.inputs.some((name) => moving.has(name))) for (const name of node.outputs) moving.add(name);
  }
  const seen = new Set(graph.outputs.map(({ name }) => name));
  const found: Node[] = [];
  for (const node of [...graph.nodes].reverse().filter(carriesGradients)) {
    if (!node.outputs.some((name) => name && seen.has(name))) continue;
    for (const name of node.inputs) seen.add(name);
    const isReached = node.inputs.some((name) => moving.has(name));
    if (isReached && operatorOf(node.opType)?.isEstimate) found.push(node);
  }
  return found.reverse().map(({ name, opType }) => ({ name, opType }));
}
