import { deflateSync } from 'node:zlib';
import { crc32 } from '../../data/index.js';

/** Eight-bit pixels, row by row; one value a pixel for grey, three for red, green and blue. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  readonly pixels: Uint8Array;
}

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
const EIGHT_BITS = 8;
/** Colour types by channels. */
const colourTypes = { 1: 0, 3: 2 } as const;

/** Writes a PNG file (ISO/IEC 15948), lines unfiltered. */
export function encodePng({ width, height, channels, pixels }: Picture): Uint8Array {
  const stride = width * channels;
  if (pixels.length !== stride * height || pixels.length === 0) {
    throw new TypeError(`expected ${stride * height} values for ${width} × ${height}, got ${pixels.length}`);
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = EIGHT_BITS;
  header[9] = colourTypes[channels];
  const lines = Buffer.alloc((stride + 1) * height);
  for (let y = 0; y < height; y++) {
    lines.set(pixels.subarray(y * stride, (y + 1) * stride), y * (stride + 1) + 1);
  }
  return Uint8Array.from(
    Buffer.concat([SIGNATURE, chunk('IHDR', header), chunk('IDAT', deflateSync(lines)), chunk('IEND')]),
  );
}

function chunk(type: string, data: Uint8Array = new Uint8Array()): Uint8Array {
  const content = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [length, checksum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  checksum.writeUInt32BE(crc32(content));
  return Buffer.concat([length, content, checksum]);
}
