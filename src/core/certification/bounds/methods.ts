import { predictedClass } from '../../attacks/index.js';
import { norms } from '../../spec/index.js';
import type { BallOptions, CertifiableModel, CertificationMethod, Certifier } from '../certificate.js';
import { ballAround } from './ball.js';
import { type BoundMethod, boundsOver } from './bounds-over.js';
import { compileNetwork } from './compile.js';
import { isAhead, marginRows } from './margins.js';
import type { Network } from './network.js';

/**
 * Certifies a sample where bounds show that no input of the ball gets another class. Sound for the model as ONNX Runtime
 * computes it in float32 (see `float32Arithmetic`).
 *
 * Certificates depend on the model, the sample and the ball alone; `id` is of no matter.
 */
function certifierOf(
  network: Network,
  model: CertifiableModel,
  { norm, epsilon }: BallOptions,
  method: BoundMethod,
): Certifier {
  return {
    async certify(sample) {
      const predicted = predictedClass(await model.logits(sample, 1), network.classes);
      if (predicted < 0) return { predicted, radius: 0 };
      const bounds = boundsOver(network, ballAround(sample, norm, epsilon, model), method);
      const margins = bounds(marginRows(network.classes, predicted));
      return { predicted, radius: isAhead(network, margins, bounds) ? epsilon : 0 };
    },
    close: async () => {},
  };
}

const boundMethod = (name: BoundMethod): CertificationMethod<BallOptions> => ({
  name,
  norms,
  open: async (model, options) =>
    certifierOf(await compileNetwork(model.onnx, model.shape), model, options, name),
});

/** Interval arithmetic: cheap, and tight for networks that were trained for it. Balls of L2 and L1 go by the box around. */
export const interval = boundMethod('interval');

/** Linear bounds carried back to the input, or intervals where those are better: never worse than `interval`. */
export const crown = boundMethod('crown');

/**
 * Opens `crown` where it is cheap.
 *
 * @param most - multiplications that one answer of the model may take
 * @returns undefined where it takes more
 * @throws RefusedError `operator-unsupported` as `crown` does
 */
export async function openCrownWithin(
  model: CertifiableModel,
  options: BallOptions,
  most: number,
): Promise<Certifier | undefined> {
  const network = await compileNetwork(model.onnx, model.shape);
  const multiplications = network.steps.reduce(
    (total, step) =>
      step.kind === 'affine'
        ? total + step.terms.reduce((sum, { map }) => sum + map.outputs * map.fanIn, 0)
        : total,
    0,
  );
  return multiplications <= most ? certifierOf(network, model, options, 'crown') : undefined;
}
