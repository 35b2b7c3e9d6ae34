import { defect } from './defect.js';
import type { Graph, Node } from './model.js';

/** How a node is named in messages: by its name, else by its first output. */
export function describeNode(node: Node): string {
  return `node ${node.name || node.outputs[0] || '(unnamed)'} (${node.opType})`;
}

/**
 * Checks that every value has one definition and that it comes before each use, in subgraphs too.
 *
 * @throws UnreadableError naming the node and the value
 */
export function checkGraph(graph: Graph, outer: ReadonlySet<string> = new Set()): void {
  const defined = new Set(outer);
  const define = (name: string, where: string): void => {
    if (defined.has(name)) throw defect(`${where}: value ${name} is defined twice`);
    defined.add(name);
  };
  for (const { name } of graph.inputs) define(name, 'graph inputs');
  for (const name of Object.keys(graph.initializers)) define(name, 'initializers');
  for (const node of graph.nodes) {
    // An empty name stands for an optional input or output that is left out.
    for (const name of node.inputs) {
      if (name && !defined.has(name)) {
        throw defect(`${describeNode(node)}: input ${name} is not computed before`);
      }
    }
    for (const attribute of Object.values(node.attributes)) {
      if (attribute.kind === 'graph') checkGraph(attribute.value, defined);
    }
    for (const name of node.outputs) if (name) define(name, describeNode(node));
  }
  const outputs = new Set<string>();
  for (const { name } of graph.outputs) {
    if (!defined.has(name)) throw defect(`graph output ${name} is not computed`);
    if (outputs.has(name)) throw defect(`graph output ${name} is given twice`);
    outputs.add(name);
  }
}
