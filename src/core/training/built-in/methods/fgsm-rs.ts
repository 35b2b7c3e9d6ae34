import type { SpecOf, TrainingMethod } from './method.js';
import { preparePerturbed } from './perturbed.js';
import { plain } from './plain.js';

/**
 * Fast adversarial training: one step that is larger than the ball, from a random start. A model may learn to make
 * that step useless and lose its robustness within an epoch (catastrophic overfitting), which is why this method always
 * keeps the weights that were most robust against PGD (`early-stopping.ts`).
 *
 * The start may lie outside the valid range; only the end is moved into it, as in the authors' algorithm. Where most
 * values of a sample lie on the edge of the range, as in pictures of digits, a start moved inside leaves nothing to
 * chance: a step of more than ε from there always ends on the face of the ball, and the model soon overfits to it.
 *
 * Source: Wong, Rice, Kolter, "Fast is better than free: revisiting adversarial training", ICLR 2020, algorithm 3.
 */
export const fgsmRs: TrainingMethod<SpecOf<'fgsm-rs'>> = {
  addLoss: (step) => plain.addLoss(step, undefined),
  prepare: (problem, { norm, epsilon, stepSize = 1.25 * epsilon, ramp }) =>
    preparePerturbed(problem, 'fgsm-rs', { norm, epsilon, steps: 1, stepSize, startsAnywhere: true }, ramp),
};
