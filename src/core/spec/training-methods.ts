import { z } from 'zod';

const norm = z.enum(['linf', 'l2']);
const epsilon = z.number().gt(0).describe('Radius of the ball, in the units that the model sees.');
const ramp = z
  .strictObject({
    start: z.number().min(0).default(0).describe('Epochs before the ramp, at epsilon 0.'),
    epochs: z.number().gt(0).describe('Epochs in which epsilon rises linearly to its full value.'),
  })
  .optional()
  .describe('How epsilon grows; default: it is full from the start.');

/** A ball and how many steps of PGD look through it. */
export const attackedBallSchema = z.strictObject({
  norm,
  epsilon,
  steps: z.int().min(1).max(200).default(10),
});

/** The ways in which the built-in trainer makes a model robust. */
export const adversarialSchema = z.discriminatedUnion('method', [
  z
    .strictObject({
      method: z.literal('pgd'),
      norm,
      epsilon,
      steps: z.int().min(1).max(200).default(7),
      stepSize: z.number().gt(0).optional().describe('Default: 2.5 · epsilon / steps.'),
      ramp,
    })
    .describe('Madry et al. 2018: every step trains on PGD examples of the current model.'),
  z
    .strictObject({
      method: z.literal('fgsm-rs'),
      norm,
      epsilon,
      stepSize: z.number().gt(0).optional().describe('Default: 1.25 · epsilon.'),
      ramp,
    })
    .describe('Wong, Rice, Kolter 2020 (fast adversarial training): a random start and one step.'),
  z
    .strictObject({
      method: z.literal('trades'),
      norm,
      epsilon,
      beta: z.number().gt(0).default(6).describe('Weight of the divergence: robustness against accuracy.'),
      steps: z.int().min(1).max(200).default(10),
      stepSize: z.number().gt(0).optional().describe('Default: 2.5 · epsilon / steps.'),
      ramp,
    })
    .describe('Zhang et al. 2019: plain loss plus the divergence of answers inside the ball.'),
  z
    .strictObject({
      method: z.literal('gradient-penalty'),
      dual: norm
        .default('l2')
        .describe('The norm of the attack to be smooth against; its dual norm of the gradient is penalised.'),
      weight: z.number().gt(0).describe('Factor of the squared norm of the input gradient.'),
      difference: z.number().gt(0).default(0.01).describe('Length of the finite difference.'),
    })
    .describe('Finlay, Oberman 2021: smooths the loss by penalising its gradient at the input.'),
  z
    .strictObject({ method: z.literal('gaussian'), sigma: z.number().gt(0) })
    .describe('Cohen, Rosenfeld, Kolter 2019: trains on noisy inputs, for randomized smoothing.'),
  z
    .strictObject({
      method: z.literal('ibp'),
      norm: z.literal('linf'),
      epsilon,
      kappa: z
        .number()
        .min(0)
        .max(1)
        .default(0.5)
        .describe('Final share of the plain loss; the rest is the loss of the worst case.'),
      ramp,
    })
    .describe('Gowal et al. 2018: trains bounds that hold for the whole ball.'),
]);

export type AttackedBall = z.infer<typeof attackedBallSchema>;
export type AdversarialSpec = z.infer<typeof adversarialSchema>;
export type RampSpec = NonNullable<z.infer<typeof ramp>>;
