import { inputRange, readManifest, readSplit } from '../data/index.js';
import { RefusedError } from '../errors/index.js';
import type { InspectionSpec } from '../spec/index.js';
import { modelsOf } from '../training/index.js';
import type { SuspectData } from './detector.js';
import { type Inspection, inspect } from './inspect.js';
import { detectors } from './registry.js';

/** Suspects that a refusal names, by detector. */
const NAMED = 3;

/**
 * Holds the training rows of a snapshot against detectors.
 *
 * @param folder - a snapshot as fetched from a store
 * @throws RefusedError `spec-invalid` when a detector can say nothing of such data; `data-refused` or `training-refused` when
 * no model can be trained to look at them; `snapshot-invalid`
 */
export async function inspectSnapshot(
  folder: string,
  { detectors: names, falseAlarmRate, seed }: InspectionSpec,
  signal?: AbortSignal,
): Promise<readonly Inspection[]> {
  const manifest = await readManifest(folder);
  const { texts, ...samples } = await readSplit(folder, 'train');
  const { classes } = manifest.label;
  const suspected: SuspectData = {
    ...samples,
    ...inputRange(manifest),
    classes,
    shape: manifest.shape,
    ...(manifest.text && texts && { text: { texts, features: manifest.text } }),
  };
  const models = modelsOf(samples, {
    ...inputRange(manifest),
    shape: manifest.shape,
    classes: classes.length,
    seed,
    ...(signal && { signal }),
  });
  const inspections: Inspection[] = [];
  for (const name of names) {
    const detector = detectors.find((known) => known.name === name)!;
    const lacking = detector.lacks?.(suspected);
    if (lacking !== undefined) throw new RefusedError('spec-invalid', `data.inspect, ${name}: ${lacking}`);
    inspections.push(
      await inspect(detector, suspected, { seed, falseAlarmRate, ...models, ...(signal && { signal }) }),
    );
  }
  return inspections;
}

/** What a refusal says of data that look tampered with: nothing where none does. */
export function suspicions(inspections: readonly Inspection[], falseAlarmRate: number): readonly string[] {
  return inspections
    .filter(({ status }) => status === 'suspicious')
    .map(({ detector, suspects, counted, finds, looksFor }) => {
      const honest = finds === 'classes' ? 0 : Math.round(counted * falseAlarmRate);
      const named = suspects.slice(0, NAMED).map(({ id, reason }) => `${id}: ${reason}`);
      return `${detector}: ${suspects.length} of ${counted} ${finds} suspect (${looksFor}), honest data would give ${honest} or so: ${named.join('; ')}`;
    });
}
