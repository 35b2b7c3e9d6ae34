import { type GraphBuilder, graphBuilder } from './graph-builder.js';
import { applicationOf, inferFacts } from './infer-facts.js';
import type { Graph, Node, ValueInfo } from './model.js';
import type { Application } from './operators/operator.js';

/**
 * Writes the nodes that do a node's work.
 *
 * @param b - a graph in which the node's inputs exist under their names; inputs added to it become the graph's
 * @returns the values for the node's outputs, in order
 */
type Write = (at: Application, b: GraphBuilder) => readonly string[];

/**
 * Rewrites every node that a predicate picks into others. All values that the graph has keep their names.
 *
 * @throws RefusedError `operator-unsupported` where the shapes of such a node's inputs cannot be inferred
 */
export function replaceNodes(
  graph: Graph,
  opset: number,
  picks: (node: Node) => boolean,
  write: Write,
): Graph {
  let result = graph;
  for (;;) {
    const index = result.nodes.findIndex(picks);
    if (index < 0) return result;
    result = replaceNode(result, opset, index, write);
  }
}

function replaceNode(graph: Graph, opset: number, index: number, write: Write): Graph {
  const node = graph.nodes[index]!;
  // Later nodes may be of operators whose shape rules are not known yet.
  const facts = inferFacts({ ...graph, nodes: graph.nodes.slice(0, index) }, opset);
  const at = applicationOf(node, opset, facts);
  const given = [...new Set(node.inputs)].filter(Boolean).map((name): ValueInfo => {
    const { type, dims } = facts.get(name) ?? at.refuse(`nothing is known about input ${name}`);
    return { name, type, dims };
  });

  const draft = graphBuilder(opset);
  for (const { name, type, dims } of given) draft.input(name, type, dims);
  const values = write(at, draft);
  const added = draft.build().inputs.slice(given.length);
  const named = new Map([...given, ...added].map(({ name }) => [name, name]));
  for (const [i, name] of node.outputs.entries()) {
    if (!name) continue;
    // Under an Identity of its own, one value can stand for two outputs, or for an input.
    const value = values[i] || at.refuse(`output ${i} is not supported`);
    named.set(draft.op('Identity', [value])[0], name);
  }

  const prefix = freePrefix(graph, node);
  const part = graphBuilder(opset);
  for (const { name, type, dims } of [...given, ...added]) part.input(name, type, dims);
  part.import(draft.build(), (name) => named.get(name) ?? `${prefix}${name}`);
  const { initializers, nodes } = part.build();
  return {
    ...graph,
    inputs: [...graph.inputs, ...added],
    initializers: Object.assign(Object.create(null), graph.initializers, initializers),
    nodes: [
      ...graph.nodes.slice(0, index),
      ...nodes.map((each) => ({ ...each, name: `${prefix}${each.name}` })),
      ...graph.nodes.slice(index + 1),
    ],
  };
}

/** A beginning that no name in the graph has. */
function freePrefix({ nodes, inputs, initializers }: Graph, node: Node): string {
  const names = [
    ...inputs.map(({ name }) => name),
    ...Object.keys(initializers),
    ...nodes.flatMap(({ name, outputs }) => [name, ...outputs]),
  ];
  let prefix = `${node.outputs.find(Boolean) ?? node.name}/`;
  while (names.some((name) => name.startsWith(prefix))) prefix += '/';
  return prefix;
}
