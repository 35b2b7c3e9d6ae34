import type { Graph } from './model.js';

/** The part of a graph that a value depends on. */
export function ancestorsOf(graph: Graph, name: string): Graph {
  const needed = new Set([name]);
  const nodes = [...graph.nodes].reverse().filter((node) => {
    if (!node.outputs.some((output) => output && needed.has(output))) return false;
    for (const input of node.inputs) needed.add(input);
    return true;
  });
  return { ...graph, nodes: nodes.reverse() };
}
