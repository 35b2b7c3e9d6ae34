import { predictedClass, type Samples } from '../attacks/index.js';
import type { AttackSpec } from '../spec/index.js';
import { type AttackBench, ballOf, type Progress, select } from './attack-bench.js';
import { climbsOf } from './climbs.js';
import { controlLimits } from './controls/limits.js';
import type { EvasionRow } from './evasion-row.js';
import { gradientAgreement } from './gradient-check.js';
import { askServed } from './majority.js';
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
  bench: AttackBench,
  suite: readonly AttackSpec[],
  rows: readonly EvasionRow[],
  first: number,
  progress: Progress,
): Promise<EvasionRow[]> {
  const { spec, subject, classifier, logitExponent } = bench;
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
    const rounds =
      spec.randomised && (await answersTo(bench, spec.randomised.answers, bytes, one, row.label));
    const { gradientSamples, planted } = controlLimits;
    const closely = classifier.gradientObstacle === undefined ? first + index : Number.POSITIVE_INFINITY;
    checked.push({
      ...row,
      repeatable: served.every((value, c) => Object.is(value, again[c])),
      logitsDifference: classifier.randomness
        ? null
        : relativeDifference(await classifier.logits(one.inputs, 1), served, logitExponent),
      ...(rounds && { answers: rounds }),
      gradient:
        closely < gradientSamples ? await gradientAgreement(classifier, samples, index, threat, seed) : null,
      planted:
        closely < planted.samples
          ? await searchPlanted(
              classifier.randomness?.fixed ?? classifier,
              one,
              threat,
              seed,
              (reader, sample) =>
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

/** How often the sample is answered right: twice in the serving session, and in the attacked graph's own draws. */
async function answersTo(
  { subject, classifier }: AttackBench,
  answers: number,
  bytes: Uint8Array,
  { inputs }: Samples,
  label: number,
): Promise<NonNullable<EvasionRow['answers']>> {
  const ask = async () => answers - (await askServed(subject, bytes, label, answers)).wrong;
  const [first, again] = [await ask(), await ask()];
  const { classes, randomness } = classifier;
  if (!randomness) return { first, again, attacked: null };
  const drawn = await randomness.drawn(inputs, answers);
  const right = Array.from({ length: answers }, (_, row) => predictedClass(drawn, classes, row) === label);
  return { first, again, attacked: right.filter(Boolean).length };
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
