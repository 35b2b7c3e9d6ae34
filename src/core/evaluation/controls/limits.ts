/** What the suite demands of itself before a model passes: every threshold of every control. */
export const controlLimits = {
  /** Samples whose gradient is held against finite differences. */
  gradientSamples: 32,
  /**
   * Least cosine of a gradient and its finite differences, and the least share of the checked ones that must reach it.
   * Over short steps, ReLU kinks and rounding spoil a few. Over steps of the ball's radius honest models bend (small
   * networks were measured at 0.93 and more) and staircases jump.
   */
  cosine: { least: 0.99, share: 0.9 },
  ballCosine: { least: 0.7, share: 0.75 },
  /**
   * Largest share of what the logits do on the way to a random input that gradients may leave unaccounted, and the least
   * share of the checked samples at which they do. Of 24 honest twins (test/core/evaluation/zoo) none had more than 0.05 at
   * any of 32 samples; of the broken defences that round, vote, remember or ripple, most had more than 0.5 at most.
   */
  unaccounted: { most: 0.2, share: 0.9 },
  /** Largest difference between the logits of the gradient graph and the served ones, in parts of the largest logit. */
  logitsDifference: 1e-4,
  /**
   * How unlikely a difference between two rounds of answers of a randomised model may be, or between the served model's and
   * the attacked graph's, before it is no chance: how often an honest one is doubted.
   */
  frequencies: 0.001,
  /** Largest share of the samples that one step may break and many steps may not; of few samples, one. */
  oneStepShare: 0.002,
  /** Largest share of the samples that an attack without gradients may break and those with gradients may not; of few, one. */
  blackBoxShare: 0.002,
  /** Largest share of the samples that an attack through the parent may break and the model's own gradients may not; of few, one. */
  transferShare: 0.002,
  /** Largest share of the samples that an attack may claim and the serving session not confirm. */
  unconfirmedShare: 0.002,
  /** Survivors that are attacked again without a radius, at least; none may survive that. */
  unboundedSamples: 100,
  /** Largest share of the samples that twice the iterations may break beyond the suite. */
  longerShare: 0.005,
  /** Largest share of the samples that may break at other scales of the logits: half a point of robust accuracy. */
  rescaledShare: 0.005,
  /** Largest rise of a converged loss, and the least share of the survivors whose loss has converged. */
  lateRise: { most: 0.05, share: 0.95 },
  /**
   * Samples around which an adversarial example is planted, and the share of them that the attack must find: fewer raise an
   * alarm where chance does not explain them.
   */
  planted: { samples: 32, share: 0.95 },
  /**
   * The first samples of the draw, whose balls are bounded where attacks broke them, and the largest models for which that
   * is tried: values of an input, bytes of the file, multiplications of one answer.
   */
  certified: { samples: 64, inputs: 2 ** 14, bytes: 2 ** 25, multiplications: 2e7 },
} as const;
