import {
  attribute,
  encodeModel,
  floatTensor,
  type GraphBuilder,
  graphBuilder,
  int64Vector,
} from '../../../onnx/index.js';
import { randomStream } from '../../../random/index.js';
import { type Layer, product, type Weight, weightsOf } from '../layers.js';
import { opset } from '../model-file.js';
import type { Network } from '../network.js';

/** Networks of one shape that vote; its `theta` is theirs, one after the other. */
export interface VotingNetwork extends Network {
  /** The network that each of them is. */
  readonly base: Network;
  readonly voters: number;
}

/** Key under which a file that was written here says how many networks vote in it. A claim, and no proof. */
const votersKey = 'assay.partitions';

export function isVoting(network: Network): network is VotingNetwork {
  return 'voters' in network;
}

/** The seed of one voter's draws. */
export function seedOfVoter(seed: number, voter: number): number {
  return randomStream(seed, 'partition', voter).uint32();
}

/**
 * Networks side by side in one small graph: their weights are stacked, so that a layer of all is one batched product or one grouped
 * convolution. Each votes for the class of its largest logit, the first of equals; the output `logits` [N, classes] counts votes.
 *
 * What one voter says depends on its own weights alone: neither a batched product nor a grouped convolution sums over voters.
 *
 * @param base - built from layers
 */
export function votingNetwork(base: Network, voters: number): VotingNetwork {
  const layers = base.layers!;
  const weights = weightsOf(layers);
  const { shape, classes, count } = base;
  return {
    opset,
    shape,
    classes,
    count: voters * count,
    base,
    voters,
    initial: (seed) => joined(Array.from({ length: voters }, (_, i) => base.initial(seedOfVoter(seed, i)))),
    bind(builder, theta) {
      const table = builder.op('Reshape', [theta, vector(builder, [voters, count])])[0];
      const sizes = vector(
        builder,
        weights.map(({ dims }) => product(dims)),
      );
      const parts = builder.op('Split', [table, sizes], { axis: attribute.int(1) }, weights.length);
      const values = new Map(
        weights.map((weight, i) => [
          weight.name,
          builder.op('Reshape', [parts[i]!, vector(builder, stacked(weight, voters))])[0],
        ]),
      );
      const weight = (name: string): string => values.get(name)!;
      return { weight, logits: (input) => addVotes(builder, layers, { voters, classes }, input, weight) };
    },
    encode(theta) {
      const builder = graphBuilder(opset);
      const input = builder.input('input', 'float', ['N', ...shape]);
      let from = 0;
      for (const weight of weights) {
        const size = product(weight.dims);
        const parts = Array.from({ length: voters }, (_, i) =>
          theta.subarray(i * count + from, i * count + from + size),
        );
        builder.constant(floatTensor(stacked(weight, voters), joined(parts)), weight.name);
        from += size;
      }
      const votes = addVotes(builder, layers, { voters, classes }, input, (name) => name);
      builder.output('logits', 'float', ['N', classes], votes);
      return encodeModel(builder.toModel({ [votersKey]: `${voters}` }));
    },
  };
}

/** Shape of all voters' values of one weight: convolutions side by side as channels, dense layers as a batch of matrices. */
function stacked({ dims, fanIn, name }: Weight, voters: number): readonly number[] {
  if (name.startsWith('convolution')) return [voters * dims[0]!, ...dims.slice(1)];
  return fanIn > 0 ? [voters, ...dims] : [voters, 1, ...dims];
}

/** @returns the value of the vote counts, [N, classes] */
function addVotes(
  builder: GraphBuilder,
  layers: readonly Layer[],
  { voters, classes }: { readonly voters: number; readonly classes: number },
  input: string,
  weight: (name: string) => string,
): string {
  let value = input;
  // Voters see one input, and then each its own channels.
  let groups = 1;
  for (const layer of layers) {
    switch (layer.kind) {
      case 'reshape':
        value =
          groups === 1
            ? builder.op('Reshape', [value, vector(builder, [-1, ...layer.shape])])[0]
            : builder.op(
                'Transpose',
                [builder.op('Reshape', [value, vector(builder, [-1, voters, ...layer.shape])])[0]],
                { perm: attribute.ints([1, 0, 2]) },
              )[0];
        break;
      case 'convolution':
        value = builder.op('Conv', [value, weight(`${layer.name}.weight`), weight(`${layer.name}.bias`)], {
          kernel_shape: attribute.ints([layer.kernel, layer.kernel]),
          pads: attribute.ints(Array.from({ length: 4 }, () => layer.padding)),
          strides: attribute.ints([layer.stride, layer.stride]),
          group: attribute.int(groups),
        })[0];
        groups = voters;
        break;
      case 'relu':
        value = builder.op('Relu', [value])[0];
        break;
      case 'pool':
        value = builder.op('MaxPool', [value], {
          kernel_shape: attribute.ints([2, 2]),
          strides: attribute.ints([2, 2]),
        })[0];
        break;
      case 'dense':
        // [N, from] or [voters, N, from] times [voters, from, to].
        value = builder.op('MatMul', [value, weight(`${layer.name}.weight`)])[0];
        value = builder.op('Add', [value, weight(`${layer.name}.bias`)])[0];
        break;
    }
  }
  const [choices] = builder.op('ArgMax', [value], { axis: attribute.int(2), keepdims: attribute.int(0) });
  const depth = builder.constant(int64Vector([classes]), 'classes');
  const marks = builder.constant(floatTensor([2], [0, 1]), 'marks');
  const [ballots] = builder.op('OneHot', [choices, depth, marks]);
  return builder.op('ReduceSum', [ballots, vector(builder, [0])], { keepdims: attribute.int(0) })[0];
}

function vector(builder: GraphBuilder, values: readonly number[]): string {
  return builder.constant(int64Vector(values), 'dims');
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((total, { length }) => total + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
