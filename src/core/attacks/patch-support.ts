/** One rectangle of an image, anywhere, that an adversary covers in every channel: a sticker on what the camera sees. */
export interface Patch {
  readonly height: number;
  readonly width: number;
  /** How the image lies in a sample: one plane a channel, row-major, or the channels of a pixel side by side. */
  readonly image: { readonly height: number; readonly width: number; readonly interleaved?: boolean };
}

/** Where the patch lies: its upper left corner. */
export interface Location {
  readonly x: number;
  readonly y: number;
}

/** Every place that a patch fits, row by row. */
export function locationsOf({ height, width, image }: Patch): readonly Location[] {
  const rows = Math.max(0, image.height - height + 1);
  const columns = Math.max(0, image.width - width + 1);
  return Array.from({ length: rows * columns }, (_, i) => ({ x: i % columns, y: Math.floor(i / columns) }));
}

/** The positions of a sample's values that a patch covers, channel by channel. */
export function covered(
  { height, width, image }: Patch,
  { x, y }: Location,
  size: number,
): readonly number[] {
  const plane = image.height * image.width;
  const channels = Math.floor(size / plane);
  return Array.from({ length: channels * height * width }, (_, i) => {
    const channel = Math.floor(i / (height * width));
    const row = y + (Math.floor(i / width) % height);
    const pixel = row * image.width + x + (i % width);
    return image.interleaved ? pixel * channels + channel : channel * plane + pixel;
  });
}

/** Whether all values that differ lie under one patch. */
export function differsUnderOnePatch(original: Float32Array, candidate: Float32Array, patch: Patch): boolean {
  const { image } = patch;
  const plane = image.height * image.width;
  const channels = original.length / plane;
  const changed = [...original.keys()]
    .filter((i) => candidate[i] !== original[i])
    .map((i) => (image.interleaved ? Math.floor(i / channels) : i % plane));
  if (changed.length === 0) return true;
  const [rows, columns] = [
    changed.map((pixel) => Math.floor(pixel / image.width)),
    changed.map((pixel) => pixel % image.width),
  ] as const;
  const span = (values: readonly number[]): number =>
    values.reduce((most, value) => Math.max(most, value), 0) -
    values.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY) +
    1;
  return span(rows) <= patch.height && span(columns) <= patch.width;
}
