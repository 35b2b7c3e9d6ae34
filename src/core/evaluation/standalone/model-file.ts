import {
  blackBox,
  type Classifier,
  type Expectation,
  openClassifier,
  predictedClass,
} from '../../attacks/index.js';
import { RefusedError, TransientError } from '../../errors/index.js';
import {
  decodeModel,
  encodeModel,
  endsInSoftmax,
  logitGradientNames,
  logitsModel,
  type Model,
  type OnnxSession,
  openSession,
  probeModel,
  type Results,
  requireSafeModel,
  straightThroughNodes,
  type Tensor,
  type ValueInfo,
} from '../../onnx/index.js';
import { inSingles, oneByOne } from './in-singles.js';

/** Anyone's ONNX file, open to be asked and attacked. Close it after use. */
export interface ModelFile {
  /** Its bytes. */
  readonly onnx: Uint8Array;
  /** Shape of one sample; `undefined` where the file leaves lengths open. */
  readonly shape: readonly number[] | undefined;
  /** Number of classes, where the file says it. */
  readonly classes: number | undefined;
  /** What to know about the file before believing figures. */
  readonly notes: readonly string[];
  /**
   * One sample through the file itself. Of a model that ends in Softmax, the logits before it, unless they name another class
   * than the probabilities do.
   * @param bytes - little-endian float32
   */
  serve(bytes: Uint8Array, shape: readonly number[]): Promise<Float32Array>;
  /** Many samples through the file itself. @param inputs - n·size values @returns n·classes logits or probabilities */
  answers(inputs: Float32Array, n: number, shape: readonly number[]): Promise<Float32Array>;
  /** A file that cannot be differentiated opens as a black box, with a `gradientObstacle`. */
  openClassifier(
    shape: readonly number[],
    logitExponent: number,
    expectation?: Expectation,
  ): Promise<Classifier>;
  close(): Promise<void>;
}

/** What the caller lets a file hold beyond ONNX's own operators. */
export interface AllowedInFile {
  /** Operator domains that ONNX Runtime brings along, such as `com.microsoft`; a model that uses them is a black box. */
  readonly domains: readonly string[];
}

/**
 * Opens a classifier of one float input [N, …] and one float output [N, classes] of logits or probabilities. A batch axis
 * of length 1 is worked around; any other fixed length is refused.
 *
 * @throws RefusedError `model-unsafe` when the scan finds an error, `model-unreadable` when ONNX Runtime cannot load it, `model-unfit` when it is no such classifier
 */
export async function openModelFile(
  onnx: Uint8Array,
  { domains }: AllowedInFile = { domains: [] },
): Promise<ModelFile> {
  requireSafeModel(onnx, { domains });
  await probeModel(onnx);
  const session = await openSession(onnx, { place: 'thread' });
  try {
    const input = onlyInput(session.inputs);
    const decoded = decodeOrReason(onnx);
    const unreadable = decoded instanceof RefusedError ? decoded : undefined;
    const model = decoded instanceof RefusedError ? undefined : decoded;
    const beforeSoftmax = model && withoutSoftmax(model);
    const inner = beforeSoftmax && (await openSession(beforeSoftmax, { place: 'thread' }));
    const [batch, ...axes] = input.dims;
    const fixed = axes.filter((axis) => typeof axis === 'number' && axis > 0) as number[];
    const classes = model?.graph.outputs[0]?.dims[1];
    const answersTo =
      (shape: readonly number[]): Classifier['logits'] =>
      async (inputs, n) =>
        onlyScores(await ask(session, input.name, { type: 'float', dims: [n, ...shape], data: inputs }), n);
    return {
      onnx,
      shape: fixed.length === axes.length ? fixed : undefined,
      classes: typeof classes === 'number' && classes > 0 ? classes : undefined,
      notes: [
        ...estimateNote(model),
        ...(inner ? ['The model ends in Softmax: attacks work on the logits before it.'] : []),
        ...(batch === 1
          ? [
              'The model takes one sample at a time, which is slow; export it with a batch axis of any length.',
            ]
          : []),
      ],
      async serve(bytes, shape) {
        const data = new Float32Array(Uint8Array.from(bytes).buffer);
        const tensor: Tensor = { type: 'float', dims: [1, ...shape], data };
        const answer = onlyScores(await ask(session, input.name, tensor), 1);
        if (!inner) return answer;
        const scores = (await inner.run({ [logitGradientNames.input]: tensor }))[logitGradientNames.logits]
          ?.data;
        if (!(scores instanceof Float32Array)) return answer;
        return predictedClass(answer, answer.length) === predictedClass(scores, scores.length)
          ? scores
          : answer;
      },
      async answers(inputs, n, shape) {
        return await (batch === 1 ? oneByOne(answersTo(shape)) : answersTo(shape))(inputs, n);
      },
      async openClassifier(shape, logitExponent, expectation) {
        // The session is the file's own, which goes on serving.
        const opaque = (obstacle: RefusedError): Promise<Classifier> =>
          blackBox(answersTo(shape), shape, logitExponent, obstacle, async () => {});
        const classifier = unreadable
          ? await opaque(unreadable)
          : await openClassifier(beforeSoftmax ?? onnx, shape, logitExponent, expectation).catch(
              (error: unknown) => {
                if (error instanceof RefusedError && error.code === 'operator-unsupported')
                  return opaque(error);
                throw error;
              },
            );
        // Of a mean over draws, each draw is asked for by itself already.
        return batch === 1 && !classifier.randomness ? inSingles(classifier) : classifier;
      },
      async close() {
        await Promise.all([session.close(), inner?.close()]);
      },
    };
  } catch (error) {
    await session.close();
    throw error;
  }
}

/** Attacks that follow an estimated gradient may miss what others find. */
function estimateNote(model: Model | undefined): readonly string[] {
  const nodes = model ? straightThroughNodes(model) : [];
  if (nodes.length === 0) return [];
  const [{ name, opType }] = nodes as readonly [(typeof nodes)[number]];
  const others = nodes.length === 1 ? '' : `, and ${nodes.length - 1} more`;
  return [
    `gradient: straight-through. Values are rounded at ${name || 'a node'} (${opType})${others}; gradients are as if they were not.`,
  ];
}

/** The model without its final Softmax; `undefined` where it has none, or cannot be taken apart. */
function withoutSoftmax(model: Model): Uint8Array | undefined {
  if (!endsInSoftmax(model)) return undefined;
  try {
    return encodeModel(logitsModel(model));
  } catch (error) {
    if (error instanceof RefusedError) return undefined;
    throw error;
  }
}

/** A file with operators of other domains still runs, as a black box. */
function decodeOrReason(onnx: Uint8Array): Model | RefusedError {
  try {
    return decodeModel(onnx);
  } catch (error) {
    if (error instanceof RefusedError) return error;
    throw error;
  }
}

function onlyInput(inputs: readonly ValueInfo[]): ValueInfo {
  const [input, ...others] = inputs;
  const shown = inputs.map(
    ({ name, type, dims }) => `${type} ${name} [${dims.map((axis) => axis || '?').join(', ')}]`,
  );
  if (!input || others.length > 0 || input.type !== 'float' || input.dims.length < 2) {
    throw unfit(`expected one input of float32, [N, …], got ${shown.join(' and ') || 'none'}`);
  }
  const [batch] = input.dims;
  if (typeof batch === 'number' && batch > 1) {
    throw unfit(
      `expected a batch axis of any length, got a fixed batch of ${batch}: ${shown[0]}`,
      'With PyTorch: torch.onnx.export(…, dynamic_axes={"input": {0: "N"}, "output": {0: "N"}}).',
    );
  }
  return input;
}

async function ask(session: OnnxSession, input: string, tensor: Tensor): Promise<Results> {
  try {
    return await session.run({ [input]: tensor });
  } catch (error) {
    if (error instanceof RefusedError || error instanceof TransientError) throw error;
    const [reason] = String((error as Error).message).split('\n');
    throw new RefusedError('model-unfit', `ONNX Runtime cannot run the model: ${reason}`, advice, {
      cause: error,
    });
  }
}

const advice = [
  "scikit-learn: convert_sklearn(…, options={'zipmap': False}) gives probabilities as a tensor; labels must be integers.",
];

/** The one float output [n, classes]; scikit-learn's converter gives labels beside it. */
function onlyScores(results: Results, n: number): Float32Array {
  const scores = Object.values(results).filter(
    ({ type, dims }) => type === 'float' && dims.length === 2 && dims[0] === n && dims[1]! > 1,
  );
  const [found, ...others] = scores;
  if (found?.data instanceof Float32Array && others.length === 0) return found.data;
  const got = Object.entries(results).map(([name, { type, dims }]) => `${type} ${name} [${dims.join(', ')}]`);
  throw unfit(
    `expected one output of float32, [${n}, classes] for ${n} samples, with two classes or more, got ${got.join(' and ') || 'none'}`,
    'A network with one sigmoid unit: export it with two outputs, [1 − p, p].',
  );
}

function unfit(message: string, ...details: readonly string[]): RefusedError {
  return new RefusedError('model-unfit', message, details);
}
