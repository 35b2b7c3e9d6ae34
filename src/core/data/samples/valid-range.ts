import { RefusedError } from '../../errors/index.js';
import type { RawSamples, SampleOptions } from './sample-set.js';

/** What values may be, in units of the source: one entry an input value. */
export interface ValidRange {
  readonly low: readonly number[];
  readonly high: readonly number[];
  /** Whether the model sees the value scaled from its range to [0, 1]. */
  readonly unit: readonly boolean[];
}

/**
 * The valid range that the user says, or else one that the values suggest: bytes are 0 to 255; values that all lie in
 * [0, 1] are fractions; pixels and values without names share the range of them all; named columns have one each.
 *
 * @throws RefusedError `usage` when values are to be scaled from a range that is only a guess
 */
export function validRange(
  raw: RawSamples,
  { range, scale = 'none' }: SampleOptions,
  note: (text: string) => void,
): ValidRange {
  const size = raw.values.length / raw.ids.length;
  const shared = (low: number, high: number): ValidRange => ({
    low: Array(size).fill(low),
    high: Array(size).fill(high),
    unit: Array(size).fill(scale === 'unit'),
  });
  if (range) {
    if (!(range[0] < range[1])) {
      throw new RefusedError('usage', `expected a range from low to high, got ${range.join(',')}`);
    }
    return shared(...range);
  }
  const say = (what: string): void => note(`The valid range is ${what}. Set it with --range LOW,HIGH.`);
  if (raw.values instanceof Uint8Array) {
    say('taken to be 0 to 255, since the values are bytes');
    return shared(0, 255);
  }
  const low: number[] = Array(size).fill(Number.POSITIVE_INFINITY);
  const high: number[] = Array(size).fill(Number.NEGATIVE_INFINITY);
  for (let at = 0; at < raw.values.length; at++) {
    const i = at % size;
    low[i] = Math.min(low[i]!, raw.values[at]!);
    high[i] = Math.max(high[i]!, raw.values[at]!);
  }
  const lowest = low.reduce((least, value) => Math.min(least, value));
  const highest = high.reduce((most, value) => Math.max(most, value));
  if (scale === 'unit') {
    throw new RefusedError(
      'usage',
      `expected --range LOW,HIGH with --scale unit: the data goes from ${lowest} to ${highest}, but the model was trained on a scale that only you know`,
    );
  }
  if (lowest >= 0 && highest <= 1) {
    say('taken to be 0 to 1, since all values lie there');
    return shared(0, 1);
  }
  if (!raw.columns || raw.shape.length > 1) {
    say(`taken from the data: ${lowest} to ${highest}`);
    return shared(lowest, highest);
  }
  say('taken from the data, column by column');
  return { low, high, unit: Array(size).fill(false) };
}
