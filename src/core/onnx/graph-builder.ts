import type { Attribute, Axis, DataType, Graph, Model, Node, Tensor, ValueInfo } from './model.js';
import { tensorProblem } from './tensor.js';

/** Names of a node's outputs: a tuple where their number is known. */
export type OutputNames<Count extends number> = Count extends 1
  ? readonly [string]
  : Count extends 2
    ? readonly [string, string]
    : readonly string[];

/** Writes a graph node by node. Values are known by their names; equal calls in equal order give equal graphs. */
export interface GraphBuilder {
  /** Version of the standard operator set that the nodes follow. */
  readonly opset: number;
  /** Declares an input. @returns its name */
  input(name: string, type: DataType, dims: readonly Axis[]): string;
  /** Adds a constant. @param nameHint - what to call it; a number is added where the name is taken. @returns its name */
  constant(tensor: Tensor, nameHint: string): string;
  /**
   * Adds a node.
   * @param inputs - names of values that exist; '' leaves an optional input out
   * @param attributes - see {@link attribute} for short ways to write them
   * @param outputs - how many outputs to name
   * @returns the names of its outputs
   */
  op<Count extends number = 1>(
    opType: string,
    inputs: readonly string[],
    attributes?: Readonly<Record<string, Attribute>>,
    outputs?: Count,
  ): OutputNames<Count>;
  /** Declares an output. @param value - the value to give out, when it goes by another name */
  output(name: string, type: DataType, dims: readonly Axis[], value?: string): void;
  /**
   * Adds the constants and nodes of another graph. Its inputs must, under their new names, exist already; its outputs
   * become plain values.
   * @param rename - new name of each of its values
   */
  import(graph: Graph, rename?: (name: string) => string): void;
  /** The graph so far. */
  build(): Graph;
  /** The graph so far as a model. @param metadata - kept in the file beside the graph */
  toModel(metadata?: Readonly<Record<string, string>>): Model;
}

/** Short ways to write attributes: `attribute.ints([1, 1])`. */
export const attribute = {
  int: (value: number): Attribute => ({ kind: 'int', value }),
  float: (value: number): Attribute => ({ kind: 'float', value }),
  string: (value: string): Attribute => ({ kind: 'string', value }),
  ints: (value: readonly number[]): Attribute => ({ kind: 'ints', value }),
  floats: (value: readonly number[]): Attribute => ({ kind: 'floats', value }),
  tensor: (value: Tensor): Attribute => ({ kind: 'tensor', value }),
} as const;

/**
 * Starts an empty graph.
 *
 * @param opset - version of the standard operator set
 * @throws Error from its methods when a value is used before it exists or a name is taken: mistakes of the caller
 */
export function graphBuilder(opset: number): GraphBuilder {
  const inputs: ValueInfo[] = [];
  const outputs: ValueInfo[] = [];
  const initializers = new Map<string, Tensor>();
  const nodes: Node[] = [];
  const names = new Set<string>();
  const nodeNames = new Set<string>();
  const counters = new Map<string, number>();

  const define = (name: string): string => {
    if (!name || names.has(name)) throw new Error(`expected a free name for a value, got '${name}'`);
    names.add(name);
    return name;
  };
  const use = (name: string): string => {
    if (name && !names.has(name)) throw new Error(`value ${name} does not exist`);
    return name;
  };
  const freeName = (hint: string): string => {
    const isTaken = (name: string): boolean => names.has(name) || nodeNames.has(name);
    if (!isTaken(hint)) return hint;
    let next = counters.get(hint) ?? 1;
    while (isTaken(`${hint}_${next}`)) next += 1;
    counters.set(hint, next + 1);
    return `${hint}_${next}`;
  };
  const addConstant = (tensor: Tensor, name: string): string => {
    const problem = tensorProblem(tensor);
    if (problem) throw new Error(`constant ${name}: ${problem}`);
    initializers.set(define(name), tensor);
    return name;
  };
  const addNode = (node: Node): void => {
    node.inputs.forEach(use);
    // ONNX Runtime refuses two nodes of one name, though a name has no meaning.
    const name = node.name && nodeNames.has(node.name) ? freeName(node.name) : node.name;
    nodeNames.add(name);
    for (const output of node.outputs) if (output) define(output);
    nodes.push({ ...node, name });
  };

  const builder: GraphBuilder = {
    opset,
    input(name, type, dims) {
      inputs.push({ name: define(name), type, dims });
      return name;
    },
    constant: (tensor, nameHint) => addConstant(tensor, freeName(nameHint)),
    op(opType, operands, attributes = {}, count) {
      const first = freeName(opType);
      const results = Array.from({ length: count ?? 1 }, (_, i) =>
        i === 0 ? first : freeName(`${first}.${i}`),
      );
      addNode({ name: first, opType, domain: '', inputs: operands, outputs: results, attributes });
      return results as unknown as OutputNames<NonNullable<typeof count>>;
    },
    output(name, type, dims, value = name) {
      if (value !== name) {
        addNode({ name, opType: 'Identity', domain: '', inputs: [value], outputs: [name], attributes: {} });
      }
      outputs.push({ name: use(name), type, dims });
    },
    import(graph, rename = (name) => name) {
      for (const { name } of graph.inputs) use(rename(name));
      for (const [name, tensor] of Object.entries(graph.initializers)) addConstant(tensor, rename(name));
      for (const node of graph.nodes) addNode(renameNode(node, rename));
    },
    build: () => ({
      name: 'graph',
      inputs: [...inputs],
      outputs: [...outputs],
      initializers: recordOf(initializers),
      nodes: [...nodes],
    }),
    toModel: (metadata = {}) => ({
      irVersion: irVersionOf(opset),
      opset,
      producer: 'assay',
      graph: builder.build(),
      metadata,
    }),
  };
  return builder;
}

/** The oldest IR version that goes with an operator set, so that the most runtimes can read the file. */
function irVersionOf(opset: number): number {
  if (opset < 19) return 8;
  return opset < 21 ? 9 : 10;
}

function renameNode(node: Node, rename: (name: string) => string): Node {
  const renameValue = (name: string): string => (name ? rename(name) : '');
  return {
    ...node,
    inputs: node.inputs.map(renameValue),
    outputs: node.outputs.map(renameValue),
    attributes: recordOf(
      Object.entries(node.attributes).map(([name, value]) => [
        name,
        value.kind === 'graph' ? { kind: 'graph', value: renameGraph(value.value, rename) } : value,
      ]),
    ),
  };
}

/** Subgraphs see the values around them, so they are renamed with them. */
function renameGraph(graph: Graph, rename: (name: string) => string): Graph {
  const renameInfo = (value: ValueInfo): ValueInfo => ({ ...value, name: rename(value.name) });
  return {
    name: graph.name,
    inputs: graph.inputs.map(renameInfo),
    outputs: graph.outputs.map(renameInfo),
    initializers: recordOf(
      Object.entries(graph.initializers).map(([name, tensor]) => [rename(name), tensor]),
    ),
    nodes: graph.nodes.map((node) => renameNode(node, rename)),
  };
}

/** Without a prototype: `constructor` and `__proto__` are names of values like any other. */
function recordOf<T>(entries: Iterable<readonly [string, T]>): Record<string, T> {
  const record: Record<string, T> = Object.create(null);
  for (const [name, value] of entries) record[name] = value;
  return record;
}
