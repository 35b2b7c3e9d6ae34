import { predictedClass } from '../../attacks/index.js';
import type { Norm } from '../../spec/index.js';
import type { BallOptions, CertificationMethod } from '../certificate.js';
import { ballAround } from './ball.js';
import { type BoundMethod, boundsOver } from './bounds-over.js';
import { compileNetwork } from './compile.js';
import { isAhead, marginRows } from './margins.js';

/**
 * Certifies a sample where bounds show that no input of the ball gets another class. Sound for the model as ONNX Runtime
 * computes it in float32 (see `float32Arithmetic`).
 *
 * Certificates depend on the model, the sample and the ball alone; `id` is of no matter.
 */
const boundMethod = (name: BoundMethod, norms: readonly Norm[]): CertificationMethod<BallOptions> => ({
  name,
  norms,
  async open(model, { norm, epsilon }) {
    const network = await compileNetwork(model.onnx, model.shape);
    return {
      async certify(sample) {
        const predicted = predictedClass(await model.logits(sample, 1), network.classes);
        if (predicted < 0) return { predicted, radius: 0 };
        const bounds = boundsOver(network, ballAround(sample, norm, epsilon, model), name);
        const margins = bounds(marginRows(network.classes, predicted));
        return { predicted, radius: isAhead(network, margins, bounds) ? epsilon : 0 };
      },
      close: async () => {},
    };
  },
});

/** Interval arithmetic: cheap, and tight for networks that were trained for it. Balls of L2 and L1 go by the box around. */
export const interval = boundMethod('interval', ['linf', 'l2', 'l1']);

/** Linear bounds carried back to the input, or intervals where those are better: never worse than `interval`. */
export const crown = boundMethod('crown', ['linf', 'l2', 'l1']);
