import type { Dataset, SnapshotManifest } from '../data/index.js';
import { RefusedError } from '../errors/index.js';
import {
  decodeModel,
  floatTensor,
  openSession,
  probeModel,
  requireSafeModel,
  type ValueInfo,
} from '../onnx/index.js';

/** Samples that a trained model is tried on. */
const trials = 8;

/** What a model card says of the file: the names of its input and its output. */
export interface ModelInterface {
  readonly input: string;
  readonly output: string;
}

/**
 * Tries a trained model: it must be readable ONNX with one float input [N, …shape] and one float output, and answer one
 * sample and several with finite logits [N, classes].
 *
 * @param samples - at least one
 * @throws RefusedError `training-refused` when it does not; `model-unsafe` when the scan finds an error; `model-unreadable` when it is no ONNX file that runs
 */
export async function checkModel(
  onnx: Uint8Array,
  { shape, label }: SnapshotManifest,
  samples: Dataset,
): Promise<ModelInterface> {
  requireSafeModel(onnx);
  const { inputs, outputs } = decodeModel(onnx).graph;
  const input = onlyFloat(inputs, 'input');
  const output = onlyFloat(outputs, 'output');
  const fits =
    input.dims.length === shape.length + 1 &&
    shape.every((length, i) => typeof input.dims[i + 1] === 'string' || input.dims[i + 1] === length);
  if (!fits) {
    throw refusal(
      `expected input ${input.name} of shape [N, ${shape.join(', ')}], got [${input.dims.join(', ')}]`,
    );
  }
  await probeModel(onnx);
  const session = await openSession(onnx, { place: 'thread' });
  try {
    const size = shape.reduce((count, axis) => count * axis, 1);
    for (const count of new Set([1, Math.min(trials, samples.ids.length)])) {
      const results = await session
        .run({ [input.name]: floatTensor([count, ...shape], samples.inputs.slice(0, count * size)) })
        .catch((error: unknown) => {
          throw refusal(
            `the trained model does not run on ${count} samples: ${(error as Error).message}`,
            error,
          );
        });
      const { dims, data } = results[output.name]!;
      const logits = data as Float32Array;
      const expected = [count, label.classes.length];
      if (dims.join() !== expected.join()) {
        throw refusal(
          `expected output ${output.name} of shape [${expected}] for ${count} samples, got [${dims}]`,
        );
      }
      if (!logits.every(Number.isFinite)) {
        throw refusal(`expected finite logits on validation samples, got ${logits.join(', ')}`);
      }
    }
  } finally {
    await session.close();
  }
  return { input: input.name, output: output.name };
}

function onlyFloat(values: readonly ValueInfo[], what: string): ValueInfo {
  const [value, ...others] = values;
  if (value?.type === 'float' && others.length === 0) return value;
  const got = values.map(({ name, type }) => `${type} ${name}`).join(', ') || 'none';
  throw refusal(`expected the trained model to have one float ${what}, got ${got}`);
}

function refusal(message: string, cause?: unknown): RefusedError {
  return new RefusedError('training-refused', message, [], { cause });
}
