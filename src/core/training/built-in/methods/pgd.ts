import type { SpecOf, TrainingMethod } from './method.js';
import { preparePerturbed } from './perturbed.js';
import { plain } from './plain.js';

/**
 * Adversarial training: the cross-entropy of PGD examples of the current weights. The search drops nothing.
 *
 * Source: Madry, Makelov, Schmidt, Tsipras, Vladu, "Towards deep learning models resistant to adversarial attacks",
 * ICLR 2018, section 2.
 */
export const pgd: TrainingMethod<SpecOf<'pgd'>> = {
  addLoss: (step) => plain.addLoss(step, undefined),
  prepare: (problem, { norm, epsilon, steps, stepSize = (2.5 * epsilon) / steps, ramp }) =>
    preparePerturbed(problem, 'pgd', { norm, epsilon, steps, stepSize }, ramp),
};
