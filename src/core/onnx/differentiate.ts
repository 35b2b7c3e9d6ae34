import { RefusedError } from '../errors/index.js';
import { ancestorsOf } from './ancestors-of.js';
import type { GraphBuilder } from './graph-builder.js';
import { applicationOf, type Facts, inferFacts } from './infer-facts.js';
import type { DataType, Graph, Node } from './model.js';
import { add, floatOf, onesLike, zerosLike } from './operators/emit.js';
import type { BackwardApplication, Fact } from './operators/operator.js';
import { operatorOf } from './operators/registry.js';

/**
 * Appends the nodes that compute gradients of a loss (reverse-mode differentiation). A loss with axes, such as one
 * value a sample, is differentiated as its sum: with independent samples, each gets its own gradient.
 *
 * At kinks (ReLU at 0) the one-sided derivative that PyTorch uses is taken. Where the loss depends on a value through
 * steps alone (`Round`, comparisons), the gradient is a tensor of zeros: that is its true derivative, and whoever attacks
 * with it must see that it leads nowhere.
 *
 * Values of half or double precision keep it; their gradients are float32.
 *
 * @param builder - a graph whose values up to the loss are floating-point numbers wherever gradients pass
 * @param loss - name of the value to differentiate
 * @param wrt - names of the values to differentiate with respect to: inputs, constants or intermediate values
 * @param weights - name of a float value in the shape of the loss; given, its elements count by these weights, which are
 * taken for constants (a vector–Jacobian product)
 * @returns the name of the gradient of each, in the shape of the value
 * @throws RefusedError `operator-unsupported` naming the node and operator; or when the loss does not depend on a
 *   value
 */
export function differentiate(
  builder: GraphBuilder,
  loss: string,
  wrt: readonly string[],
  weights?: string,
): Readonly<Record<string, string>> {
  const graph = ancestorsOf(builder.build(), loss);
  const facts = inferFacts(graph, builder.opset);
  const active = activeValues(graph, facts, wrt, builder.opset);

  const gradients = new Map<string, string>();
  const accumulate = (name: string, gradient: string): void => {
    const sum = gradients.get(name);
    gradients.set(name, sum === undefined ? gradient : add(builder, sum, gradient));
  };
  if (active.has(loss)) accumulate(loss, weights ?? onesLike(builder, loss));
  const single = inSinglePrecision(builder, facts);
  for (const node of [...graph.nodes].reverse()) {
    if (node.outputs.some((name) => gradients.has(name) && active.has(name))) {
      propagate(node, { builder, facts, active, gradients, accumulate, single });
    }
  }
  return Object.fromEntries(
    wrt.map((name) => {
      const gradient = gradients.get(name);
      if (gradient !== undefined) return [name, gradient];
      if (!isComputedFrom(graph, loss, name)) {
        throw new RefusedError('operator-unsupported', `${loss} has no gradient with respect to ${name}`);
      }
      return [name, zerosLike(builder, name)];
    }),
  );
}

interface Sweep {
  readonly builder: GraphBuilder;
  readonly facts: Facts;
  readonly active: ReadonlySet<string>;
  readonly gradients: ReadonlyMap<string, string>;
  accumulate(name: string, gradient: string): void;
  /** Name of the value in float32. */
  single(name: string): string;
}

/** Hands a node's output gradients on to its inputs. */
function propagate(node: Node, { builder, facts, active, gradients, accumulate, single }: Sweep): void {
  const forward = applicationOf(node, builder.opset, facts);
  const outputGradients = node.outputs.map((name) => gradients.get(name));
  const at: BackwardApplication = {
    ...forward,
    b: builder,
    fact: (i) => singleFact(forward.fact(i)),
    x: (i) => single(node.inputs[i] || forward.refuse(`expected input ${i}, got none`)),
    y: (i) => single(node.outputs[i] || forward.refuse(`expected output ${i}, got none`)),
    result: (i) =>
      singleFact(facts.get(node.outputs[i] ?? '') ?? forward.refuse(`expected output ${i}, got none`)),
    outputGradients,
  };
  const operator = operatorOf(node.opType);
  if (!operator || typeof operator.backward === 'string') return;
  const rules = operator.backward(at, outputGradients[0] ?? '');
  for (const [i, name] of node.inputs.entries()) {
    if (!active.has(name)) continue;
    const rule = rules[i] ?? forward.refuse(`no derivative is known with respect to input ${i} (${name})`);
    accumulate(name, rule());
  }
}

/** Floating-point types that ONNX classifiers compute in. */
const floatingTypes: readonly DataType[] = ['float', 'float16', 'double'];

/** Rules are written for float32: values of other precisions are handed to them as casts, each made once. */
function inSinglePrecision(builder: GraphBuilder, facts: Facts): (name: string) => string {
  const casts = new Map<string, string>();
  return (name) => {
    const fact = facts.get(name);
    if (fact === undefined || singleFact(fact) === fact) return name;
    const cast = casts.get(name) ?? floatOf(builder, name);
    casts.set(name, cast);
    return cast;
  };
}

function singleFact(fact: Fact): Fact {
  return fact.type === 'float' || !floatingTypes.includes(fact.type) ? fact : { ...fact, type: 'float' };
}

/** Whether a value depends on the numbers, and not only on the shape, of another. */
function isComputedFrom(graph: Graph, value: string, source: string): boolean {
  const computed = new Set([source]);
  for (const node of graph.nodes) {
    if (operatorOf(node.opType)?.backward === 'constant') continue;
    if (!node.inputs.some((name) => computed.has(name))) continue;
    for (const name of node.outputs) computed.add(name);
  }
  return computed.has(value);
}

/** Values through which gradients pass: floating-point (or estimated), and computed from what is differentiated by. */
function activeValues(
  graph: Graph,
  facts: Facts,
  wrt: readonly string[],
  opset: number,
): ReadonlySet<string> {
  const active = new Set(wrt);
  for (const node of graph.nodes) {
    if (!node.inputs.some((name) => active.has(name))) continue;
    const operator = operatorOf(node.opType);
    if (typeof operator?.backward === 'string') continue;
    const passing = node.outputs.filter((name) => {
      const type = facts.get(name)?.type;
      return (type !== undefined && floatingTypes.includes(type)) || (name && operator?.isEstimate);
    });
    if (passing.length === 0) {
      // A silent zero here would pass for robustness.
      applicationOf(node, opset, facts).refuse('gradients pass through floating-point numbers only');
    }
    for (const name of passing) active.add(name);
  }
  return active;
}
