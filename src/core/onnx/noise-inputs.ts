import { dataTypeNumber, dataTypeOf } from './data-types.js';
import { attribute, type GraphBuilder } from './graph-builder.js';
import type { Axis, Graph, Model, Node } from './model.js';
import { scalar, scale, where } from './operators/emit.js';
import type { Application } from './operators/operator.js';
import { replaceNodes } from './replace-node.js';

/** Where the numbers of a noise input are drawn from, independently; `uniform` is at least `low` and below `high`. */
export type NoiseDistribution =
  | { readonly kind: 'normal'; readonly mean: number; readonly scale: number }
  | { readonly kind: 'uniform'; readonly low: number; readonly high: number };

/** A float32 input in the place of a node that draws random numbers. */
export interface NoiseInput {
  readonly name: string;
  /** Shape; its first axis is the classifier's batch where the node draws numbers for each sample. */
  readonly dims: readonly Axis[];
  readonly distribution: NoiseDistribution;
}

/** A classifier whose answers depend on its inputs alone. */
export interface NoiseFreeModel {
  readonly model: Model;
  /** In the order of the nodes that drew; none where the classifier draws nothing. */
  readonly noise: readonly NoiseInput[];
}

/**
 * Turns all that a classifier draws by itself (random tensors, Bernoulli, Dropout in training mode) into inputs
 * `noise_0`, `noise_1`, …, so that whoever runs it can draw from named streams: equal draws give equal answers, and a
 * gradient is that of the very draw.
 *
 * @throws RefusedError `operator-unsupported` naming the node: `Multinomial`, and noise that is not float32
 */
export function withNoiseInputs(model: Model): NoiseFreeModel {
  const noise: NoiseInput[] = [];
  const start = withNamedBatch(model.graph);
  const taken = namesOf(start);
  const graph = replaceNodes(start, model.opset, drawsIn(start), (at, b) => {
    const source = sources[at.node.opType]!;
    const { dims, distribution } = source.draw(at);
    const name = `noise_${noise.length}`;
    if (taken.has(name)) at.refuse(`a value is called ${name} already`);
    noise.push({ name, dims, distribution });
    return source.write(at, b, b.input(name, 'float', dims));
  });
  return { model: { ...model, graph }, noise };
}

/** A kind of node that draws: from where, and what it makes of the numbers. */
interface Source {
  draw(at: Application): Omit<NoiseInput, 'name'>;
  write(at: Application, b: GraphBuilder, noise: string): readonly string[];
}

const unit: NoiseDistribution = { kind: 'uniform', low: 0, high: 1 };

const normal = (at: Application): NoiseDistribution => ({
  kind: 'normal',
  mean: at.float('mean', 0),
  scale: at.float('scale', 1),
});

const uniform = (at: Application): NoiseDistribution => ({
  kind: 'uniform',
  low: at.float('low', 0),
  high: at.float('high', 1),
});

/** A node whose output is the noise itself. */
const plain = (
  distributionOf: (at: Application) => NoiseDistribution,
  dimsOf: (at: Application) => readonly Axis[],
): Source => ({
  draw(at) {
    const fallback = at.has(0) ? at.fact(0).type : 'float';
    const type = at.int('dtype', dataTypeNumber(fallback));
    if (type !== dataTypeNumber('float')) at.refuse(`noise of type ${dataTypeOf(type)} is not supported`);
    return { dims: dimsOf(at), distribution: distributionOf(at) };
  },
  write: (_, __, noise) => [noise],
});

const givenShape = (at: Application): readonly Axis[] => at.ints('shape') ?? at.refuse('expected a shape');
const likeInput = (at: Application): readonly Axis[] => at.fact(0).dims;

const sources: Readonly<Record<string, Source>> = {
  RandomNormal: plain(normal, givenShape),
  RandomNormalLike: plain(normal, likeInput),
  RandomUniform: plain(uniform, givenShape),
  RandomUniformLike: plain(uniform, likeInput),
  /** 1 with the probability that the input says. */
  Bernoulli: {
    draw(at) {
      if (at.fact(0).type !== 'float') at.refuse('probabilities must be float32');
      return { dims: likeInput(at), distribution: unit };
    },
    write(at, b, noise) {
      const to = attribute.int(at.int('dtype', dataTypeNumber('float')));
      const [isOne] = b.op('Less', [noise, at.node.inputs[0]!]);
      return b.op('Cast', [isOne], { to });
    },
  },
  /** Each element stays with probability 1 − ratio, and is then scaled so that the mean stays. */
  Dropout: {
    draw(at) {
      if (at.fact(0).type !== 'float') at.refuse('dropout of other types than float32 is not supported');
      return { dims: likeInput(at), distribution: unit };
    },
    write(at, b, noise) {
      const x = at.node.inputs[0]!;
      const ratio = at.has(1) ? Number(at.integers(1)[0]) : 0.5;
      const [isDropped] = b.op('Less', [noise, scalar(b, ratio)]);
      const kept = where(b, isDropped, scalar(b, 0), scale(b, x, 1 / (1 - ratio)));
      return [kept, b.op('Not', [isDropped])[0]];
    },
  },
  Multinomial: {
    draw: (at) => at.refuse('draws of classes are not supported'),
    write: () => [],
  },
};

/** Picks the nodes that draw. Dropout does in training mode alone, which is the third input since operator set 12. */
function drawsIn({ initializers, nodes }: Graph): (node: Node) => boolean {
  const falseByName = new Set(
    Object.entries(initializers).flatMap(([name, { data }]) => (data[0] ? [] : [name])),
  );
  for (const { opType, attributes, outputs } of nodes) {
    const value = opType === 'Constant' ? attributes.value : undefined;
    if (value?.kind === 'tensor' && !value.value.data[0]) falseByName.add(outputs[0]!);
  }
  return ({ opType, inputs }) => {
    if (opType === 'Dropout') return Boolean(inputs[2]) && !falseByName.has(inputs[2]!);
    return Object.hasOwn(sources, opType);
  };
}

/** The batch by a name, so that noise for each sample is seen to have as many rows. */
function withNamedBatch(graph: Graph): Graph {
  const inputs = graph.inputs.map((input) => {
    const [batch, ...rest] = input.dims;
    return batch === '' ? { ...input, dims: ['N', ...rest] } : input;
  });
  return { ...graph, inputs };
}

function namesOf({ inputs, initializers, nodes }: Graph): ReadonlySet<string> {
  return new Set([
    ...inputs.map(({ name }) => name),
    ...Object.keys(initializers),
    ...nodes.flatMap(({ outputs }) => outputs),
  ]);
}
