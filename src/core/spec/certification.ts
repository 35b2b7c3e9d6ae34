import { z } from 'zod';

/** Methods of certification that a gate may ask for. */
export const certificationMethods = ['smoothing', 'interval', 'crown'] as const;
export type CertificationMethodName = (typeof certificationMethods)[number];

const sigma = z
  .number()
  .gt(0)
  .describe('Standard deviation of the Gaussian noise, in the units that the model sees.');
const alpha = (what: string) => z.number().gt(0).lt(0.5).default(0.001).describe(what);

/** How randomized smoothing certifies: the names of Cohen et al., 2019. */
export const smoothingCertificationSchema = z.strictObject({
  sigma,
  n: z.int().min(1).max(10_000_000).default(10_000).describe('Noisy copies a sample that are counted.'),
  n0: z.int().min(1).max(1_000_000).default(100).describe('Noisy copies a sample that choose the class.'),
  alpha: alpha('The probability, over the noise, that a certificate is wrong.'),
});

/** How a smoothed classifier answers a request. */
export const servedSmoothingSchema = z.strictObject({
  sigma,
  samples: z.int().min(10).max(100_000).default(1000).describe('Noisy copies of each input that vote.'),
  alpha: alpha(
    'The probability that an answer is not the smoothed classifier’s; a vote that leaves more doubt abstains.',
  ),
});
export type ServedSmoothing = z.infer<typeof servedSmoothingSchema>;
