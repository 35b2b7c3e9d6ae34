import { RefusedError, TransientError } from '../core/errors/index.js';
import type { Feeds, Results } from '../core/onnx/index.js';
import type { ModelCard } from '../core/spec/index.js';

/**
 * Runs a model on samples that were checked against its card.
 *
 * @param values - row-major [samples, …card.input.shape]
 * @returns row-major logits [samples, classes]
 * @throws RefusedError `prediction-undefined` when ONNX Runtime fails on the input, `model-unreadable` when the output
 * is not what the card says; TransientError when the session is gone
 */
export async function logitsOf(
  run: (feeds: Feeds) => Promise<Results>,
  card: ModelCard,
  samples: number,
  values: Float32Array,
): Promise<Float32Array> {
  const feeds: Feeds = {
    [card.input.name]: { type: 'float', dims: [samples, ...card.input.shape], data: values },
  };
  const outputs = await run(feeds).catch((error: unknown) => {
    if (error instanceof RefusedError || error instanceof TransientError) throw error;
    throw new RefusedError('prediction-undefined', 'the model failed on this input', [], { cause: error });
  });
  const logits = outputs[card.output.name];
  const expected = `[${samples}, ${card.output.classes.length}]`;
  if (!(logits?.data instanceof Float32Array) || `[${logits.dims.join(', ')}]` !== expected) {
    const got = logits === undefined ? 'none' : `${logits.type} [${logits.dims.join(', ')}]`;
    throw new RefusedError(
      'model-unreadable',
      `expected the output ${card.output.name} to be float ${expected}, got ${got}`,
    );
  }
  return logits.data;
}
