import { modelRule, type Problem } from '../rule.js';
import { type AttributeView, type GraphView, type ModelView, quoted } from '../view.js';

export const noGraph = modelRule({
  id: 'ASSAY-ONNX-050',
  name: 'no-graph',
  level: 'error',
  summary: 'The model has a graph with an output.',
  advice: 'Export the model again.',
  *check({ graph }) {
    if (!graph) yield { where: '', message: 'expected a graph, got none' };
    else if (graph.outputs.length === 0) yield { where: 'graph', message: 'expected an output, got none' };
  },
});

type Definitions = ReadonlySet<string>;

/** What a walk over the graphs in the order of execution sees; each defect belongs to one rule. */
type Defect = Problem & { readonly kind: 'duplicate' | 'dangling' };

function* defects(graph: GraphView, outer: Definitions): Generator<Defect> {
  const defined = new Set(outer);
  const all = new Set(graph.nodes.flatMap(({ outputs }) => outputs));
  const constants = new Set(graph.initializers.map(({ name }) => name));
  const define = function* (name: string, where: string, offset: number): Generator<Defect> {
    if (name === '') yield { kind: 'duplicate', where, offset, message: 'expected a name, got none' };
    else if (defined.has(name)) {
      yield {
        kind: 'duplicate',
        where,
        offset,
        message: `expected one definition of ${quoted(name)}, got another`,
      };
    }
    defined.add(name);
  };
  const inputs = graph.inputs.filter(({ name }) => !constants.has(name));
  const sparse = graph.sparseInitializers.flatMap(({ values }) => values ?? []);
  for (const { name, where, offset } of [...inputs, ...graph.initializers, ...sparse]) {
    yield* define(name, where, offset);
  }
  // Old exporters list constants as inputs as well, which is one definition; twice as an input is none.
  const listed = new Set<string>();
  for (const { name, where, offset } of graph.inputs) {
    if (constants.has(name) && listed.has(name)) {
      yield { kind: 'duplicate', where, offset, message: `expected one input ${quoted(name)}, got another` };
    }
    listed.add(name);
  }
  for (const node of graph.nodes) {
    const { where, offset } = node;
    for (const name of node.inputs) {
      // An empty name stands for an optional input or output that is left out.
      if (name === '' || defined.has(name)) continue;
      const message = all.has(name)
        ? `expected nodes in the order of execution, got ${quoted(name)} used before it is computed`
        : `expected inputs that exist, got ${quoted(name)}, which nothing computes`;
      yield { kind: 'dangling', where, offset, message };
    }
    for (const { graphs } of node.attributes) for (const inner of graphs) yield* defects(inner, defined);
    for (const name of node.outputs) if (name !== '') yield* define(name, where, offset);
  }
  const outputs = new Set<string>();
  for (const { name, where, offset } of graph.outputs) {
    if (!defined.has(name)) {
      yield {
        kind: 'dangling',
        where,
        offset,
        message: `expected an output that is computed, got ${quoted(name)}`,
      };
    }
    if (outputs.has(name)) {
      yield { kind: 'duplicate', where, offset, message: `expected one output ${quoted(name)}, got another` };
    }
    outputs.add(name);
  }
}

function* ofKind(kind: Defect['kind'], { graph }: ModelView): Generator<Problem> {
  if (!graph) return;
  for (const { kind: own, ...problem } of defects(graph, new Set())) if (own === kind) yield problem;
}

export const duplicateName = modelRule({
  id: 'ASSAY-ONNX-051',
  name: 'duplicate-name',
  level: 'error',
  summary: 'Every value has one definition.',
  advice: 'Export the model again: readers differ in which definition counts.',
  *check(model) {
    yield* ofKind('duplicate', model);
    const seen = new Set<string>();
    for (const { key, where } of model.metadata) {
      if (seen.has(key))
        yield { where, message: `expected each key of the metadata once, got ${quoted(key)} twice` };
      seen.add(key);
    }
  },
});

export const dangling = modelRule({
  id: 'ASSAY-ONNX-052',
  name: 'dangling-value',
  level: 'error',
  summary: 'Every value that is used is computed before.',
  advice: 'Export the model again: something was cut out of it, or put into it.',
  check: (model) => ofKind('dangling', model),
});

/** `AttributeProto.AttributeType`: the field that each holds its value in. */
const valueField: Readonly<Record<number, string>> = {
  1: 'f',
  2: 'i',
  3: 's',
  4: 't',
  5: 'g',
  6: 'floats',
  7: 'ints',
  8: 'strings',
  9: 'tensors',
  10: 'graphs',
  11: 'sparseTensor',
  12: 'sparseTensors',
  13: 'tp',
  14: 'typeProtos',
};

export const attributes = modelRule({
  id: 'ASSAY-ONNX-053',
  name: 'attribute',
  level: 'error',
  summary: 'Each attribute has a name of its own and one value, of the kind that it declares.',
  advice: 'Export the model again: readers differ in which value counts.',
  *check({ nodes }) {
    for (const node of nodes) {
      if (node.opType === '') {
        yield { where: node.where, offset: node.offset, message: 'expected an operator, got none' };
      }
      const seen = new Set<string>();
      for (const attribute of node.attributes) {
        const message = attributeProblem(attribute, seen);
        if (message) yield { where: attribute.where, offset: attribute.offset, message };
        seen.add(attribute.name);
      }
    }
  },
});

function attributeProblem(attribute: AttributeView, seen: ReadonlySet<string>): string | undefined {
  const { name, type, present, reference } = attribute;
  if (name === '') return 'expected a name, got none';
  if (seen.has(name)) return 'expected the attribute once, got it twice';
  if (reference !== '') return `expected a value, got a reference to ${quoted(reference)}`;
  const field = valueField[type];
  if (!field) return `expected a known kind, got ${type}`;
  const stray = present.find((other) => other !== field);
  if (stray) return `expected a value in ${field}, got one in ${stray}`;
  // proto3 leaves out zeros and what is empty, but a tensor or a graph is there or not.
  const needed = ['t', 'g', 'sparseTensor', 'tp'].includes(field);
  return needed && present.length === 0 ? `expected a value in ${field}, got none` : undefined;
}

export const opaqueType = modelRule({
  id: 'ASSAY-ONNX-054',
  name: 'opaque-type',
  level: 'error',
  summary: "Inputs, outputs and values are of ONNX's own types.",
  advice: 'Export the model with tensors as inputs and outputs.',
  *check({ values }) {
    for (const { where, offset, opaque } of values) {
      if (opaque) yield { where, offset, message: 'expected a tensor, sequence or map, got an opaque type' };
    }
  },
});

export const stowaway = modelRule({
  id: 'ASSAY-ONNX-055',
  name: 'unused-tensor',
  level: 'note',
  summary: 'Tensors that nothing reads are cargo.',
  advice: 'Remove them, for instance with onnxsim, or ask what they are for.',
  *check({ graphs, nodes }) {
    const used = new Set(nodes.flatMap(({ inputs }) => inputs));
    for (const { outputs } of graphs) for (const { name } of outputs) used.add(name);
    for (const { initializers } of graphs) {
      for (const { name, where, offset } of initializers) {
        if (!used.has(name))
          yield { where, offset, message: 'expected a tensor that is used, got one that is not' };
      }
    }
  },
});
