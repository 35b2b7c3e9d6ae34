import { RefusedError } from '../errors/index.js';
import { describeNode } from './graph-check.js';
import type { Graph, Node } from './model.js';
import { isPlainSymbol } from './operators/axes.js';
import { factOfTensor } from './operators/facts-of-tensors.js';
import type { Application, Fact } from './operators/operator.js';
import { operatorOf } from './operators/registry.js';
import { elementCount } from './tensor.js';

/** Operator sets whose forms of the operators are known. */
const supportedOpsets = { from: 11, to: 22 } as const;

/** Attributes that shape and gradient rules read. */
interface AttributeValues {
  readonly int: number;
  readonly float: number;
  readonly string: string;
  readonly ints: readonly number[];
}

/** What is known about the values of a graph, by name. */
export type Facts = ReadonlyMap<string, Fact>;

/**
 * Infers types and shapes of all values, with symbolic lengths where inputs have them. An axis without a name, or with
 * one that reads as a number or a product, gets a name of its own: unknown lengths are never taken for equal.
 *
 * @param facts - what is learned goes in here, and stays when a later node is refused
 * @throws RefusedError `operator-unsupported` naming the node
 */
export function inferFacts(graph: Graph, opset: number, facts = new Map<string, Fact>()): Facts {
  if (opset < supportedOpsets.from || opset > supportedOpsets.to) {
    throw new RefusedError(
      'operator-unsupported',
      `expected operator set ${supportedOpsets.from} to ${supportedOpsets.to}, got ${opset}`,
    );
  }
  const learn = (name: string, fact: Fact, where: string): void => {
    facts.set(name, fact);
    const fixedLengths = fact.dims.filter((axis) => typeof axis === 'number');
    // Rules write constants as long as an axis: a shape must not be able to ask for terabytes.
    if (elementCount(fixedLengths) === undefined) {
      const shape = `[${fact.dims.join(', ')}]`;
      throw new RefusedError(
        'operator-unsupported',
        `${where}: expected a shape of at most 2³¹−1 elements, got ${shape}`,
      );
    }
  };
  for (const { name, type, dims } of graph.inputs) {
    const symbolic = dims.map((axis, i) =>
      typeof axis === 'number' || isPlainSymbol(axis) ? axis : `${name}[${i}]`,
    );
    learn(name, { type, dims: symbolic }, `input ${name}`);
  }
  for (const [name, tensor] of Object.entries(graph.initializers)) facts.set(name, factOfTensor(tensor));
  for (const node of graph.nodes) {
    const at = applicationOf(node, opset, facts);
    const results = (operatorOf(node.opType) ?? at.refuse('the operator is not supported')).infer(at);
    for (const [i, name] of node.outputs.entries()) {
      if (!name) continue;
      learn(name, results[i] ?? at.refuse(`output ${i} is not supported`), describeNode(node));
    }
  }
  return facts;
}

/** A node together with what is known about its inputs. */
export function applicationOf(node: Node, opset: number, facts: Facts): Application {
  const refuse = (reason: string): never => {
    throw new RefusedError('operator-unsupported', `${describeNode(node)}: ${reason}`);
  };
  const fact = (i: number): Fact => {
    const name = node.inputs[i];
    if (!name) return refuse(`expected input ${i}, got none`);
    return facts.get(name) ?? refuse(`nothing is known about input ${name}`);
  };
  const elements = (i: number): NonNullable<Fact['elements']> =>
    fact(i).elements ?? refuse(`input ${node.inputs[i]} is computed at run time; expected a constant`);
  const value = <K extends keyof AttributeValues>(name: string, kind: K): AttributeValues[K] | undefined => {
    const attribute = Object.hasOwn(node.attributes, name) ? node.attributes[name] : undefined;
    if (!attribute) return undefined;
    if (attribute.kind !== kind) return refuse(`attribute ${name}: expected ${kind}, got ${attribute.kind}`);
    return attribute.value as AttributeValues[K];
  };
  return {
    node,
    opset,
    has: (i) => Boolean(node.inputs[i]),
    fact,
    elements,
    integers: (i) =>
      elements(i).map((each) =>
        typeof each === 'number' ? each : refuse(`expected numbers in input ${node.inputs[i]}, got ${each}`),
      ),
    int: (name, fallback) => value(name, 'int') ?? fallback,
    float: (name, fallback) => value(name, 'float') ?? fallback,
    string: (name, fallback) => value(name, 'string') ?? fallback,
    ints: (name) => value(name, 'ints'),
    refuse,
  };
}
