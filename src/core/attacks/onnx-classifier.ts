import { RefusedError } from '../errors/index.js';
import {
  decodeModel,
  encodeModel,
  floatTensor,
  type Graph,
  lossGradientModel,
  openSession,
} from '../onnx/index.js';
import type { Classifier } from './attack.js';

/**
 * An ONNX model as an attacker with its file sees it: the model, differentiated, in a session of its own in a worker
 * thread. Close it after use.
 *
 * @param onnx - a model of one float input [N, …shape] and one float output of logits [N, classes]
 * @param shape - of one sample
 * @param classes - number of logits of one sample
 * @throws RefusedError `model-unreadable` when it is not such a model, `operator-unsupported` when it cannot be
 * differentiated
 */
export async function openClassifier(
  onnx: Uint8Array,
  shape: readonly number[],
  classes: number,
): Promise<Classifier> {
  const model = decodeModel(onnx);
  const session = await openSession(encodeModel(lossGradientModel(model)), { place: 'thread' });
  return { shape, classes, close: () => session.close() } as Classifier;
}
