import type { AttackSpec } from '../spec/index.js';
import { type AttackBench, ballOf, type Progress, select } from './attack-bench.js';
import { climbsOf } from './climbs.js';
import { controlLimits } from './controls/limits.js';
import type { EvasionRow } from './evasion-row.js';
import { gradientAgreement } from './gradient-check.js';
import { searchPlanted } from './planted-example.js';
import { sampleBytes } from './serve-cleanly.js';
import { runAttack } from './suite-attacks.js';

/**
 * Holds the gradient graph against the served model, its gradients against finite differences, and the attack against
 * planted examples.
 *
 * @param first - place of the first row in the draw: the first of all are checked more closely
 */
export async function checkGraph(
  { spec, subject, classifier, logitExponent }: AttackBench,
  suite: readonly AttackSpec[],
  rows: readonly EvasionRow[],
  first: number,
  progress: Progress,
): Promise<EvasionRow[]> {
  const { samples, seed, minimum, serve, signal } = subject;
  const threat = ballOf(subject, spec);
  const strongest = climbsOf(suite, spec)[0]!;
  const checked: EvasionRow[] = [];
  for (const [index, row] of rows.entries()) {
    signal?.throwIfAborted();
    const one = select(subject, [index]);
    const bytes = sampleBytes(samples.inputs, minimum.length, index);
    const served = await serve(bytes);
    const again = await serve(bytes);
    const logits = await classifier.logits(one.inputs, 1);
    const { gradientSamples, planted } = controlLimits;
    const closely = classifier.gradientObstacle === undefined ? first + index : Number.POSITIVE_INFINITY;
    checked.push({
      ...row,
      repeatable: served.every((value, c) => Object.is(value, again[c])),
      logitsDifference: relativeDifference(logits, served, logitExponent),
      gradient:
        closely < gradientSamples ? await gradientAgreement(classifier, samples, index, threat, seed) : null,
      planted:
        closely < planted.samples
          ? await searchPlanted(classifier, one, threat, seed, (reader, sample) =>
              runAttack(strongest, reader, sample, threat, {
                seed,
                batchSize: 1,
                ...(signal ? { signal } : {}),
              }),
            )
          : null,
    });
    progress((index + 1) / rows.length);
  }
  return checked;
}

/** In parts of the largest served logit; 1 where either side is not finite, which no limit allows. */
function relativeDifference(logits: Float32Array, served: Float32Array, logitExponent: number): number {
  const largest = served.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const difference = served.reduce(
    (most, value, i) => Math.max(most, Math.abs(value - logits[i]! * 2 ** -logitExponent)),
    0,
  );
  const relative = difference === 0 ? 0 : difference / largest;
  return Number.isFinite(relative) ? relative : 1;
}
