import { RefusedError } from '../../errors/index.js';
import {
  decodeModel,
  encodeModel,
  floatTensor,
  type Graph,
  importClassifier,
  requireSafeModel,
  unrollRecurrent,
} from '../../onnx/index.js';
import type { NetworkSpec } from '../../spec/index.js';
import type { Network } from './network.js';
import { addWeights, lengthOf, weightValues } from './theta.js';

/** Which inputs of an operator are weights that are trained unless the parameters choose others. */
const trainedInputs: Readonly<Record<string, readonly number[]>> = {
  Conv: [1, 2],
  ConvTranspose: [1, 2],
  Einsum: [0, 1],
  Gemm: [0, 1, 2],
  GroupNormalization: [1, 2],
  GRU: [1, 2, 3],
  InstanceNormalization: [1, 2],
  LayerNormalization: [1, 2],
  LSTM: [1, 2, 3],
  MatMul: [0, 1],
  PRelu: [1],
  RNN: [1, 2, 3],
};

/**
 * Anyone's classifier, to be fine-tuned: chosen float initialisers become `theta`, all else stays as it is, batch norm's
 * averages included. Its file after training is the same file with other initialisers.
 *
 * @param shape - of one sample
 * @throws RefusedError `training-refused` when the file does not fit the data or nothing in it can be trained;
 * `model-unsafe`, `model-unreadable`; `operator-unsupported`
 */
export function importedNetwork(
  file: Uint8Array,
  { trainable }: Extract<NetworkSpec, { kind: 'onnx' }>,
  shape: readonly number[],
  classes: number,
): Network {
  requireSafeModel(file);
  const model = decodeModel(file);
  const { graph, opset } = model;
  if (opset < 13) throw refusal(`expected a file of operator set 13 or newer, got ${opset}`);
  const found = importClassifier(model);
  const dims = found.dims.slice(1);
  const fits =
    dims.length === shape.length && dims.every((axis, i) => typeof axis === 'string' || axis === shape[i]);
  if (!fits || found.classes !== classes) {
    throw refusal(
      `expected a classifier of [N, ${shape.join(', ')}] into ${classes} classes, got one of [N, ${dims.join(', ')}] into ${found.classes}`,
    );
  }
  const names = trainable ? namesLike(graph, trainable) : weightsOfLayers(graph);
  const weights = names.map((name) => ({ name, dims: graph.initializers[name]!.dims }));
  const trained = new Set(names);
  const [input] = graph.inputs;
  const logits = found.logits.slice('model/'.length);
  const steps = unrollRecurrent(graph, opset);
  const frozen = Object.entries(steps.initializers).filter(([name]) => !trained.has(name));
  const open: Graph = {
    ...steps,
    inputs: [input!, ...weights.map(({ name, dims }) => ({ name, dims, type: 'float' as const }))],
    initializers: withoutPrototype(frozen),
  };
  return {
    opset,
    shape,
    classes,
    count: lengthOf(weights),
    initial: () => {
      const theta = new Float32Array(lengthOf(weights));
      let at = 0;
      for (const name of names) {
        const values = graph.initializers[name]!.data as Float32Array;
        theta.set(values, at);
        at += values.length;
      }
      return theta;
    },
    bind: (builder, theta) => {
      const weight = addWeights(builder, weights, theta);
      let passes = 0;
      return {
        weight,
        logits: (value) => {
          const prefix = `pass${passes++}/`;
          const rename = (name: string): string => {
            if (name === input!.name) return value;
            return trained.has(name) ? weight(name) : prefix + name;
          };
          builder.import(open, rename);
          return rename(logits);
        },
      };
    },
    encode: (theta) => {
      const values = new Map(weightValues(weights, theta).map(([{ name }, data]) => [name, data]));
      const initializers = Object.entries(graph.initializers).map(([name, tensor]) => {
        const data = values.get(name);
        return [name, data ? floatTensor(tensor.dims, data) : tensor] as const;
      });
      return encodeModel({ ...model, graph: { ...graph, initializers: withoutPrototype(initializers) } });
    },
  };
}

/** Weights of layers, and biases that are added to what a matrix product gives. */
function weightsOfLayers(graph: Graph): readonly string[] {
  const products = new Set(
    graph.nodes.filter(({ opType }) => opType === 'MatMul').flatMap(({ outputs }) => outputs),
  );
  const chosen = new Set(
    graph.nodes.flatMap(({ opType, inputs }) => {
      if (opType === 'Add' && inputs.some((name) => products.has(name))) return inputs;
      return (trainedInputs[opType] ?? []).flatMap((i) => inputs[i] ?? []);
    }),
  );
  const names = floatNames(graph).filter((name) => chosen.has(name));
  if (names.length > 0) return names;
  throw refusal('expected float initialisers that are weights of layers, got none: name them in trainable');
}

function namesLike(graph: Graph, patterns: readonly string[]): readonly string[] {
  const all = floatNames(graph);
  const matches = patterns.map((pattern) => {
    const parts = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
    const names = all.filter((name) => new RegExp(`^${parts.join('.*')}$`, 's').test(name));
    if (names.length > 0) return names;
    throw refusal(`expected float initialisers named ${pattern}, got ${all.join(', ') || 'none'}`);
  });
  const chosen = new Set(matches.flat());
  return all.filter((name) => chosen.has(name));
}

const floatNames = ({ initializers }: Graph): readonly string[] =>
  Object.keys(initializers).filter(
    (name) => initializers[name]!.type === 'float' && initializers[name]!.data.length > 0,
  );

/** `__proto__` is a name of values like any other. */
function withoutPrototype<T>(entries: Iterable<readonly [string, T]>): Record<string, T> {
  const record: Record<string, T> = Object.create(null);
  for (const [name, value] of entries) record[name] = value;
  return record;
}

function refusal(message: string): RefusedError {
  return new RefusedError('training-refused', message);
}
