import { inflateSync } from 'node:zlib';
import fc from 'fast-check';
import { examplePictures } from '../../../src/core/evaluation/index.js';
import { encodePng, type Picture } from '../../../src/core/evaluation/pictures/encode-png.js';
import { pictureOf } from '../../../src/core/evaluation/pictures/picture-of.js';

/** Reads what the writer may write: 8 bits, no filter, no interlace. */
function decodePng(bytes: Uint8Array): Picture {
  const view = Buffer.from(bytes);
  expect([...view.subarray(0, 8)]).toEqual([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10]);
  const chunks = new Map<string, Buffer>();
  for (let at = 8; at < view.length; ) {
    const length = view.readUInt32BE(at);
    chunks.set(view.toString('latin1', at + 4, at + 8), view.subarray(at + 8, at + 8 + length));
    at += 12 + length;
  }
  expect([...chunks.keys()]).toEqual(['IHDR', 'IDAT', 'IEND']);
  const header = chunks.get('IHDR')!;
  const [width, height, channels] = [
    header.readUInt32BE(0),
    header.readUInt32BE(4),
    header[9] === 2 ? 3 : 1,
  ] as const;
  const lines = inflateSync(chunks.get('IDAT')!);
  const stride = width * channels;
  const pixels = new Uint8Array(stride * height);
  for (let y = 0; y < height; y++) {
    expect(lines[y * (stride + 1)]).toBe(0);
    pixels.set(lines.subarray(y * (stride + 1) + 1, (y + 1) * (stride + 1)), y * stride);
  }
  return { width, height, channels, pixels };
}

describe('a PNG file', () => {
  it('says every pixel again', () => {
    const pictures = fc
      .tuple(
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 9 }),
        fc.constantFrom(1 as const, 3 as const),
      )
      .chain(([width, height, channels]) => {
        const length = width * height * channels;
        return fc.record({
          width: fc.constant(width),
          height: fc.constant(height),
          channels: fc.constant(channels),
          pixels: fc.uint8Array({ minLength: length, maxLength: length }),
        });
      });
    fc.assert(fc.property(pictures, (picture) => expect(decodePng(encodePng(picture))).toEqual(picture)));
  });

  it('has the bytes that a known encoder gives one grey pixel', () => {
    const bytes = Buffer.from(encodePng({ width: 1, height: 1, channels: 1, pixels: Uint8Array.of(128) }));
    // IHDR and its checksum, as libpng writes them.
    expect(bytes.subarray(8, 33).toString('hex')).toBe(
      '0000000d4948445200000001000000010800000000' + '3a7e9b55',
    );
  });
});

describe('a sample', () => {
  const shades = { black: () => 0, white: () => 1 };
  const ramp = (length: number) => Float32Array.from({ length }, (_, i) => i / (length - 1));

  it('of planes and one of interleaved channels are the same picture', () => {
    const planes = Float32Array.from({ length: 48 }, (_, i) => (i % 16 === 0 ? Math.floor(i / 16) / 2 : 0));
    const interleaved = Float32Array.from(
      { length: 48 },
      (_, i) => planes[(i % 3) * 16 + Math.floor(i / 3)]!,
    );
    const picture = pictureOf(planes, [3, 4, 4], shades);
    expect(picture).toMatchObject({ width: 4, height: 4, channels: 3 });
    expect([...picture!.pixels.subarray(0, 3)]).toEqual([0, 128, 255]);
    expect(pictureOf(interleaved, [4, 4, 3], shades)).toEqual(picture);
  });

  it('of two axes is grey; tables, vectors and films are no pictures', () => {
    expect(pictureOf(ramp(20), [4, 5], shades)).toMatchObject({ width: 5, height: 4, channels: 1 });
    for (const shape of [[20], [2, 10], [2, 4, 5], [1, 1, 4, 5]]) {
      expect(pictureOf(ramp(shape.reduce((n, axis) => n * axis)), shape, shades)).toBeUndefined();
    }
  });

  it('is shown beside its adversarial example and the difference, grey where nothing changed', () => {
    const original = new Float32Array(16).fill(0.5);
    const adversarial = original.slice();
    adversarial[3] = 0.75;
    adversarial[5] = 0.25;
    const pictures = examplePictures(original, adversarial, {
      shape: [1, 4, 4],
      minimum: new Float32Array(16),
      maximum: new Float32Array(16).fill(1),
    });
    const { pixels } = decodePng(pictures!.difference);
    expect([pixels[0], pixels[3], pixels[5]]).toEqual([128, 255, 0]);
    expect(decodePng(pictures!.adversarial).pixels[3]).toBe(191);
  });
});
