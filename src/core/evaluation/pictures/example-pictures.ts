import { encodePng } from './encode-png.js';
import { pictureOf, type Shades } from './picture-of.js';

/** An adversarial example as PNG files. */
export interface ExamplePictures {
  readonly original: Uint8Array;
  readonly adversarial: Uint8Array;
  /** What was added: grey where nothing, white and black where the largest change. */
  readonly difference: Uint8Array;
}

/**
 * Draws an adversarial example.
 *
 * @param minimum - valid range of each value: shown as black
 * @param maximum - shown as white
 * @returns `undefined` where samples of this shape are no pictures
 */
export function examplePictures(
  original: Float32Array,
  adversarial: Float32Array,
  {
    shape,
    minimum,
    maximum,
  }: { readonly shape: readonly number[]; readonly minimum: Float32Array; readonly maximum: Float32Array },
): ExamplePictures | undefined {
  const difference = adversarial.map((value, i) => value - original[i]!);
  const largest = difference.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1;
  const whole: Shades = { black: (i) => minimum[i]!, white: (i) => maximum[i]! };
  const changes: Shades = { black: () => -largest, white: () => largest };
  const [before, after, change] = [
    pictureOf(original, shape, whole),
    pictureOf(adversarial, shape, whole),
    pictureOf(difference, shape, changes),
  ];
  if (!before || !after || !change) return undefined;
  return { original: encodePng(before), adversarial: encodePng(after), difference: encodePng(change) };
}
