import type { Picture } from './encode-png.js';

/** How the values of a sample lie in a picture. */
interface Layout {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  /** Whether the channels of a pixel lie side by side; else each channel is a plane. */
  readonly interleaved: boolean;
}

/** What is shown as black and as white, by the position of a value in its sample. */
export interface Shades {
  readonly black: (position: number) => number;
  readonly white: (position: number) => number;
}

/** Smaller samples are tables that happen to have two axes. */
const LEAST_SIDE = 4;

/** The layout of a sample's shape, or `undefined` where it is no grey or coloured picture. */
export function layoutOf(shape: readonly number[]): Layout | undefined {
  const layouts = (axes: readonly number[], interleaved: boolean): Layout | undefined => {
    const [channels, height, width] = interleaved ? [axes[2], axes[0], axes[1]] : axes;
    if ((channels !== 1 && channels !== 3) || !(height! >= LEAST_SIDE && width! >= LEAST_SIDE))
      return undefined;
    return { channels, height: height!, width: width!, interleaved };
  };
  if (shape.length === 2) return layouts([1, ...shape], false);
  if (shape.length !== 3) return undefined;
  return layouts(shape, false) ?? layouts(shape, true);
}

/**
 * A sample as a picture; values between black and white are rounded to 256 shades, values beyond are cut.
 *
 * @param values - of one sample, row-major
 * @returns `undefined` where the shape is no picture
 */
export function pictureOf(
  values: Float32Array,
  shape: readonly number[],
  { black, white }: Shades,
): Picture | undefined {
  const layout = layoutOf(shape);
  if (!layout) return undefined;
  const { width, height, channels, interleaved } = layout;
  const area = width * height;
  const pixels = new Uint8Array(area * channels);
  for (let at = 0; at < pixels.length; at++) {
    const from = interleaved ? at : (at % channels) * area + Math.floor(at / channels);
    const [low, high] = [black(from), white(from)];
    const share = high > low ? (values[from]! - low) / (high - low) : 0;
    pixels[at] = Math.round(255 * Math.min(1, Math.max(0, share)));
  }
  return { width, height, channels, pixels };
}
