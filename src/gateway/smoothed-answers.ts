import { answerSmoothed, type SmoothedAnswer } from '../core/certification/index.js';
import { normalField } from '../core/random/index.js';
import type { Digest, ModelCard, ServedSmoothing } from '../core/spec/index.js';
import { digestOfSample } from './sample-digest.js';

/**
 * Answers as the smoothed classifier, sample by sample, each by a vote over noisy copies.
 *
 * The noise is named by a secret of this gateway, the model and the sample's bytes: no client can choose an input knowing it,
 * and asking again gives the same answer, so that nothing is gained by asking often. Another gateway may draw other noise.
 *
 * @param logits - of the base classifier: see `logitsOf`
 * @param secret - unknown to clients
 * @param values - row-major [samples, …card.input.shape]
 */
export async function smoothedAnswers(
  logits: (inputs: Float32Array, n: number) => Promise<Float32Array>,
  card: ModelCard,
  smoothing: ServedSmoothing,
  { secret, model }: { readonly secret: string; readonly model: Digest },
  samples: number,
  values: Float32Array,
): Promise<readonly SmoothedAnswer[]> {
  const size = values.length / samples;
  const base = { classes: card.output.classes.length, logits };
  const answers: SmoothedAnswer[] = [];
  for (let index = 0; index < samples; index++) {
    const sample = values.slice(index * size, (index + 1) * size);
    const noise = normalField(0, 'gateway', secret, model, digestOfSample(values, samples, index));
    answers.push(await answerSmoothed(base, sample, smoothing, noise));
  }
  return answers;
}

/** How many samples a request may hold, so that it costs no more than so many runs of the base classifier. */
export function mostSmoothed(mostSamples: number, mostCopies: number, { samples }: ServedSmoothing): number {
  return Math.max(1, Math.min(mostSamples, Math.floor(mostCopies / samples)));
}
