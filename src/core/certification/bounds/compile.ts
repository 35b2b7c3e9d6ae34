import { RefusedError } from '../../errors/index.js';
import {
  ancestorsOf,
  applicationOf,
  decodeModel,
  endsInSoftmax,
  type Graph,
  importClassifier,
  inferFacts,
  type Model,
  type Node,
} from '../../onnx/index.js';
import { askForConstants, askForMovements, type Known } from './ask-runtime.js';
import type { Affine, Network, Step } from './network.js';
import type { Movement, Rule, Use } from './operators/operator.js';
import { boundedOperatorOf } from './operators/registry.js';

/**
 * Reads a classifier for bounds: its operators as maps and functions of flat vectors for one sample, what does not depend
 * on the sample worked out by the runtime.
 *
 * @param onnx - a model of one float input [N, …shape] and one float output [N, classes]
 * @param shape - of one sample
 * @throws RefusedError `operator-unsupported` naming the node whose result cannot be bounded
 */
export async function compileNetwork(onnx: Uint8Array, shape: readonly number[]): Promise<Network> {
  const model = forOneSample(decodeModel(onnx), shape);
  const { b, dims, logits, classes } = importClassifier(model);
  const graph = ancestorsOf(b.build(), logits);
  const facts = inferFacts(graph, b.opset);
  const live = liveValues(graph);
  const nodes = graph.nodes.filter(({ outputs }) => outputs.some((name) => live.has(name)));
  // Before anything is computed: a model that cannot be bounded is refused at once.
  for (const node of nodes) expectSupported(node, applicationOf(node, b.opset, facts).refuse);
  const constants = await askForConstants({
    graph,
    opset: b.opset,
    facts,
    nodes,
    live,
    dims: dims.map(Number),
  });
  const moving = nodes.filter(({ opType }) => boundedOperatorOf(opType)?.isMovement);
  const movements = await askForMovements(moving, b.opset, { facts, live, constants });

  const values = new Map<string, number>([['input', 0]]);
  const sizes = [dims.reduce<number>((product, length) => product * Number(length), 1)];
  const steps: Step[] = [];
  for (const node of nodes) {
    const use = useOf(node, b.opset, { facts, live, constants, movements });
    const rules = boundedOperatorOf(node.opType)!.bind(use);
    for (const [i, name] of node.outputs.entries()) {
      if (!name || !live.has(name)) continue;
      const rule = rules[i] ?? use.refuse(`bounds of output ${i} are not known`);
      const size = use.resultDims(i).reduce((a, c) => a * c, 1);
      steps.push(stepOf(rule, size, (input) => values.get(node.inputs[input]!)!));
      sizes.push(size);
      values.set(name, steps.length);
    }
  }
  const target = values.get(logits);
  if (target === undefined) {
    throw new RefusedError('operator-unsupported', 'expected logits that depend on the input');
  }
  return { sizes, steps, logits: target, classes, hasSoftmax: endsInSoftmax(model) };
}

function forOneSample(model: Model, shape: readonly number[]): Model {
  const inputs = model.graph.inputs.map((input) =>
    input.dims.length === shape.length + 1 ? { ...input, dims: [1, ...shape] } : input,
  );
  return { ...model, graph: { ...model.graph, inputs } };
}

/** Shapes do not depend on the numbers. */
const ofShapeAlone: ReadonlySet<string> = new Set(['Shape', 'Size']);

function liveValues({ nodes }: Graph): ReadonlySet<string> {
  const live = new Set(['input']);
  for (const { opType, inputs, outputs } of nodes) {
    if (ofShapeAlone.has(opType) || !inputs.some((name) => live.has(name))) continue;
    for (const name of outputs) if (name) live.add(name);
  }
  return live;
}

function expectSupported({ opType, domain }: Node, refuse: (reason: string) => never): void {
  if (domain !== '' || !boundedOperatorOf(opType)) refuse('no bounds are known of the operator');
}

function useOf(
  node: Node,
  opset: number,
  { facts, live, constants, movements }: Known & { readonly movements: ReadonlyMap<string, Movement> },
): Use {
  const at = applicationOf(node, opset, facts);
  const lengths = (dims: readonly (number | string)[]): readonly number[] =>
    dims.map((axis) =>
      typeof axis === 'number' ? axis : at.refuse(`expected a fixed length, got the symbolic ${axis}`),
    );
  return {
    ...at,
    isLive: (i) => live.has(node.inputs[i] ?? ''),
    constant(i) {
      const tensor = constants.get(node.inputs[i] ?? '');
      if (!tensor) return at.refuse(`expected input ${i} (${node.inputs[i]}) to be constant`);
      const values = Float64Array.from(tensor.data as Iterable<number | bigint>, Number);
      return values.some(Number.isNaN)
        ? at.refuse(`expected numbers in input ${i} (${node.inputs[i]}), got NaN`)
        : values;
    },
    dims: (i) => lengths(at.fact(i).dims),
    resultDims(i) {
      const fact = facts.get(node.outputs[i]!);
      if (fact?.type !== 'float') return at.refuse('bounds are known for float32 only');
      return lengths(fact.dims);
    },
    movement: (i) => movements.get(node.outputs[i]!) ?? at.refuse(`output ${i} does not only move numbers`),
  };
}

function stepOf(rule: Rule, size: number, operandOf: (input: number) => number): Step {
  switch (rule.kind) {
    case 'affine':
      return affineOf(rule, size, operandOf);
    case 'elementwise':
      return { kind: 'elementwise', value: operandOf(0), activationOf: rule.activationOf };
    case 'maximum':
      return { kind: 'maximum', value: operandOf(0), starts: rule.starts, sources: rule.sources };
  }
}

function affineOf(
  { terms, bias = new Float64Array(0), biasMagnitude, roundings }: Extract<Rule, { kind: 'affine' }>,
  size: number,
  operandOf: (input: number) => number,
): Affine {
  const added = bias.length > 0 ? bias : new Float64Array(size);
  return {
    kind: 'affine',
    terms: terms.map(({ input, map }) => ({ value: operandOf(input), map })),
    bias: added,
    biasMagnitude: biasMagnitude ?? added.map(Math.abs),
    roundings,
  };
}
