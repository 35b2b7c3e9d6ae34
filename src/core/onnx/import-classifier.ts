import { RefusedError } from '../errors/index.js';
import { type GraphBuilder, graphBuilder } from './graph-builder.js';
import { inferFacts } from './infer-facts.js';
import type { Axis, Model, Node, ValueInfo } from './model.js';
import type { NoiseInput } from './noise-inputs.js';
import { unrollRecurrent } from './unroll-recurrent.js';

/** A classifier inside a graph that is still being built. */
export interface ImportedClassifier {
  readonly b: GraphBuilder;
  /** First axis of inputs and outputs. */
  readonly batch: Axis;
  /** Shape of the input `input`, with the batch. */
  readonly dims: readonly Axis[];
  /** Name of the value [batch, classes] that a final Softmax is taken of; of the output where there is none. */
  readonly logits: string;
  readonly classes: number;
}

/**
 * Begins a graph with a classifier in it, its input renamed to `input`. A final Softmax is looked through, since its
 * saturation would hide gradients.
 *
 * @param model - a classifier with one float input [N, …] and one float output [N, C]
 * @param noise - inputs on top of that one, which keep their names: see `withNoiseInputs`
 * @throws RefusedError `operator-unsupported` naming the node or the value that is not as expected
 */
export function importClassifier(model: Model, noise: readonly NoiseInput[] = []): ImportedClassifier {
  const { opset } = model;
  const graph = unrollRecurrent(model.graph, opset);
  const kept = new Set(noise.map(({ name }) => name));
  const input = onlyFloat(
    graph.inputs.filter(({ name }) => !kept.has(name)),
    'input',
  );
  const output = onlyFloat(graph.outputs, 'output');
  const batch = input.dims[0] || 'N';
  const dims = [batch, ...input.dims.slice(1)];
  const renamed = (name: string): string => {
    if (kept.has(name)) return name;
    return name === input.name ? 'input' : `model/${name}`;
  };

  const b = graphBuilder(opset);
  b.input('input', 'float', dims);
  for (const each of noise) b.input(each.name, 'float', each.dims);
  b.import(graph, renamed);
  const logits = renamed(beforeSoftmax(graph.nodes, output.name));
  const [rows, classes, ...more] = inferFacts(b.build(), opset).get(logits)?.dims ?? [];
  if (rows !== batch || typeof classes !== 'number' || more.length > 0) {
    throw new RefusedError(
      'operator-unsupported',
      `output ${output.name}: expected shape [${batch}, classes], got [${[rows, classes, ...more].join(', ')}]`,
    );
  }
  return { b, batch, dims, logits, classes };
}

/** Whether a classifier gives probabilities, by a final Softmax that is looked through. */
export function endsInSoftmax({ graph }: Model): boolean {
  const [output] = graph.outputs;
  if (output === undefined) return false;
  const before = beforeSoftmax(graph.nodes, output.name);
  return graph.nodes.some(({ opType, inputs }) => opType === 'Softmax' && inputs[0] === before);
}

function onlyFloat(values: readonly ValueInfo[], what: string): ValueInfo {
  const [value, ...others] = values;
  if (value?.type !== 'float' || others.length > 0) {
    const got = values.map(({ name, type }) => `${type} ${name}`).join(', ') || 'none';
    throw new RefusedError('operator-unsupported', `expected one float ${what}, got ${got}`);
  }
  return value;
}

/** The value that a classifier's final Softmax is taken of; the output itself where there is none. */
function beforeSoftmax(nodes: readonly Node[], output: string): string {
  const last = nodes.find(({ outputs }) => outputs.includes(output));
  if (last?.opType === 'Identity') return beforeSoftmax(nodes, last.inputs[0]!);
  // Of [N, classes], the last axis or axis 1: over axis 0 it would mix samples, and is no classifier's Softmax.
  const axis = last?.attributes.axis;
  const overClasses = axis?.kind !== 'int' || axis.value === 1 || axis.value === -1;
  return last?.opType === 'Softmax' && overClasses ? last.inputs[0]! : output;
}
