import type { Constraints, Steps } from '../attacks/index.js';
import type { InputFeature } from '../data/index.js';
import type { AdversaryLimit } from '../spec/index.js';

/**
 * What an adversary respects, in the units that the model sees.
 *
 * @param features - as the snapshot or the lifecycle describes each input value
 * @param respects - what of it the gate believes
 * @returns undefined where the adversary respects nothing
 */
export function adversaryConstraints(
  features: readonly InputFeature[],
  respects: readonly AdversaryLimit[] = [],
): Constraints | undefined {
  if (respects.length === 0) return undefined;
  const types = respects.includes('types');
  const groups = new Map<number, number[]>();
  for (const [i, { oneHot }] of features.entries()) {
    if (!types || oneHot === undefined) continue;
    groups.set(oneHot, [...(groups.get(oneHot) ?? []), i]);
  }
  return {
    fixed: Uint8Array.from(features, ({ mutable }) =>
      respects.includes('immutable') && mutable === false ? 1 : 0,
    ),
    steps: features.map((feature) => (types && feature.oneHot === undefined ? stepsOf(feature) : undefined)),
    oneHot: [...groups.values()],
  };
}

/** The values that a feature can have, as a reader of the data scales and rounds them. */
function stepsOf({ type, minimum, maximum, scale, values }: InputFeature): Steps | undefined {
  const seen = (value: number): number =>
    Math.fround(scale === 'unit' ? (value - minimum) / (maximum - minimum) : value);
  if (values) return { count: values.length, at: (step) => seen(values[step]!) };
  if (type !== 'integer') return undefined;
  const [first, last] = [Math.ceil(minimum), Math.floor(maximum)];
  return { count: last - first + 1, at: (step) => seen(first + step) };
}
