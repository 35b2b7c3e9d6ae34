import {
  type Axis,
  encodeModel,
  type Facts,
  type Feeds,
  floatTensor,
  type Graph,
  graphBuilder,
  type Model,
  type Node,
  openSession,
  type Results,
  type Tensor,
} from '../../onnx/index.js';
import type { Movement } from './operators/operator.js';

/** Larger whole numbers are not all float32 numbers. */
const maxNumbered = 2 ** 24;

/** What bounds know of a graph beside its nodes. */
export interface Known {
  readonly facts: Facts;
  /** Values that depend on the numbers of the sample. */
  readonly live: ReadonlySet<string>;
  readonly constants: ReadonlyMap<string, Tensor>;
}

interface Question extends Omit<Known, 'constants'> {
  readonly graph: Graph;
  readonly opset: number;
  /** Nodes whose constant inputs are wanted. */
  readonly nodes: readonly Node[];
  /** Shape of the input `input`. */
  readonly dims: readonly number[];
}

/** Every constant that live nodes use, as the runtime computes it: initializers, and what is computed from them or shapes. */
export async function askForConstants({
  graph,
  opset,
  facts,
  nodes,
  live,
  dims,
}: Question): Promise<ReadonlyMap<string, Tensor>> {
  const wanted = [...new Set(nodes.flatMap(({ inputs }) => inputs))].filter(
    (name) => name && !live.has(name),
  );
  const known = new Map<string, Tensor>();
  const computed = wanted.filter((name) => {
    const tensor = Object.hasOwn(graph.initializers, name) ? graph.initializers[name] : undefined;
    if (tensor) known.set(name, tensor);
    return !tensor;
  });
  if (computed.length === 0) return known;
  const b = graphBuilder(opset);
  b.input('input', 'float', dims);
  b.import(graph);
  const outputs = computed.map((name, i) => {
    const { type, dims: lengths } = facts.get(name)!;
    b.output(`constant/${i}`, type, lengths, name);
    return `constant/${i}`;
  });
  const size = dims.reduce((a, c) => a * c, 1);
  const results = await run(b.toModel(), [{ input: floatTensor(dims, new Float32Array(size)) }]);
  computed.forEach((name, i) => {
    known.set(name, results[0]![outputs[i]!]!);
  });
  return known;
}

/**
 * Where nodes that only move numbers move them to. Each is given 1, 2, 3, … and, a second time, −1, −2, −3, …: a result
 * that stays the same is a constant, of padding or of a constant input.
 *
 * @returns by name of the output
 */
export async function askForMovements(
  nodes: readonly Node[],
  opset: number,
  { facts, live, constants }: Known,
): Promise<ReadonlyMap<string, Movement>> {
  const b = graphBuilder(opset);
  const feeds = new Map<string, { readonly dims: readonly number[]; readonly first: number }>();
  const wanted: { readonly name: string; readonly output: string }[] = [];
  const given = new Map<string, string>();
  for (const [n, node] of nodes.entries()) {
    let first = 1;
    const inputs = node.inputs.map((name, i) => {
      if (!name) return '';
      if (!live.has(name)) {
        const constant = given.get(name) ?? b.constant(constants.get(name)!, 'constant');
        given.set(name, constant);
        return constant;
      }
      const dims = facts.get(name)!.dims.map(Number);
      const input = b.input(`moved/${n}/${i}`, 'float', dims);
      feeds.set(input, { dims, first });
      first += dims.reduce((a, c) => a * c, 1);
      return input;
    });
    const isMovable = first <= maxNumbered && node.outputs.every((name) => movable(facts.get(name)));
    if (!isMovable) continue;
    const results = b.op(node.opType, inputs, node.attributes, node.outputs.length) as readonly string[];
    node.outputs.forEach((name, i) => {
      if (!name || !live.has(name)) return;
      const output = `result/${wanted.length}`;
      b.output(output, 'float', facts.get(name)!.dims as readonly Axis[], results[i]!);
      wanted.push({ name, output });
    });
  }
  if (wanted.length === 0) return new Map();
  const numbered = (sign: number): Feeds =>
    Object.fromEntries(
      [...feeds].map(([name, { dims, first }]) => {
        const size = dims.reduce((a, c) => a * c, 1);
        return [
          name,
          floatTensor(
            dims,
            Float32Array.from({ length: size }, (_, i) => sign * (first + i)),
          ),
        ];
      }),
    );
  const [there, back] = await run(b.toModel(), [numbered(1), numbered(-1)]);
  return new Map(
    wanted.map(({ name, output }) => {
      const [one, other] = [there![output]!.data as Float32Array, back![output]!.data as Float32Array];
      return [
        name,
        {
          sources: Int32Array.from(one, (value, i) => (value === other[i] ? -1 : value - 1)),
          constants: Float64Array.from(one, (value, i) => (value === other[i] ? value : 0)),
        },
      ];
    }),
  );
}

const movable = (fact: { readonly type: string } | undefined): boolean =>
  fact === undefined || fact.type === 'float';

async function run(model: Model, feeds: readonly Feeds[]): Promise<readonly Results[]> {
  const session = await openSession(encodeModel(model), { place: 'thread' });
  try {
    const results: Results[] = [];
    for (const each of feeds) results.push(await session.run(each));
    return results;
  } finally {
    await session.close();
  }
}
