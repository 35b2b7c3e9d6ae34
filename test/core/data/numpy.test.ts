import fc from 'fast-check';
import { decodeNpy, encodeNpy } from '../../../src/core/data/samples/npy.js';
import { openNpz } from '../../../src/core/data/samples/npz.js';
import { RefusedError } from '../../../src/core/errors/index.js';
import { npyOf, npzOf } from './numpy-files.js';

const floats = (length: number) =>
  fc.float32Array({ minLength: length, maxLength: length, noNaN: true, noDefaultInfinity: true });
const arrays = fc
  .array(fc.nat(4), { maxLength: 4 })
  .chain((shape) =>
    fc.record({ shape: fc.constant(shape), data: floats(shape.reduce((n, axis) => n * axis, 1)) }),
  );
const header = (order: string, shape: string, descr = '<f4') =>
  `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': (${shape}), }`;

describe('a .npy file', () => {
  it('says again what was written', () => {
    fc.assert(
      fc.property(arrays, ({ shape, data }) => {
        expect(decodeNpy(encodeNpy(shape, data), 'x')).toEqual({ shape, data });
      }),
    );
  });

  it('has its values at a multiple of 64 bytes, as NumPy asks', () => {
    fc.assert(
      fc.property(arrays, ({ shape, data }) => {
        expect((encodeNpy(shape, data).length - 4 * data.length) % 64).toBe(0);
      }),
    );
  });

  it.each([
    ['<f8', Float64Array.of(0.1, -2)],
    ['|u1', Uint8Array.of(0, 255)],
    ['|b1', Uint8Array.of(0, 1)],
    ['<i2', Int16Array.of(-3, 4)],
    ['<u4', Uint32Array.of(1, 2 ** 32 - 1)],
    ['<i8', BigInt64Array.of(-1n, 2n ** 62n)],
  ])('may hold elements of %s', (descr, data) => {
    expect(decodeNpy(npyOf(descr, [2], data), 'x')).toEqual({ shape: [2], data });
  });

  it.each([
    ['Fortran order', header('True', '2, 2'), 'C order'],
    ['big-endian numbers', header('False', '2, 2', '>f4'), 'little-endian'],
    ['Python objects', header('False', '2, 2', '|O'), 'little-endian'],
    ['a record type', "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (4,), }", 'a header'],
    ['code', "__import__('os').system('true')", 'a header'],
    ['a larger shape', header('False', '3, 2'), '24 bytes'],
    ['a smaller shape', header('False', '1, 2'), '8 bytes'],
    ['a negative axis', header('False', '-1, 4'), 'a header'],
    ['a shape of terabytes', header('False', '1099511627776, 4'), 'elements'],
    ['a shape whose product is not a number', header('False', `0, ${'9'.repeat(390)}`), 'bytes'],
    ['a shape without commas', header('False', '4'), 'a shape'],
    ['an empty axis', header('False', '2,, 2'), 'a shape'],
    ['an axis with leading zeros', header('False', '02, 2'), 'a shape'],
    ['a thousand axes', header('False', '1,'.repeat(100)), 'a shape'],
    ['digits that go on', header('False', '1'.repeat(5000)), 'a header'],
    ['an inherited name for a type', header('False', '4,', 'toString'), 'elements'],
  ])('is refused with %s', (_name, text, message) => {
    const decode = () => decodeNpy(npyOf('<f4', [2, 2], Float32Array.of(1, 2, 3, 4), text), 'x.npy');
    expect(decode).toThrow(RefusedError);
    expect(decode).toThrow(message);
  });
});

/** The reading itself may only ever refuse. */
function readsOrRefuses(read: () => unknown): void {
  try {
    read();
  } catch (error) {
    expect(error).toBeInstanceOf(RefusedError);
    expect(error).toMatchObject({ code: 'source-unreadable' });
  }
}

describe('hostile bytes', () => {
  const npy = encodeNpy([2, 3], Float32Array.of(1, 2, 3, 4, 5, 6));
  const npz = npzOf({ x: npy, y: npyOf('|u1', [2], Uint8Array.of(0, 1)) });
  const edits = (length: number) =>
    fc.array(fc.tuple(fc.nat(length - 1), fc.integer({ min: 0, max: 255 })), { maxLength: 4 });
  const edited = (bytes: Uint8Array, changes: readonly (readonly [number, number])[], end: number) => {
    const copy = bytes.slice(0, end);
    for (const [at, value] of changes) if (at < end) copy[at] = value;
    return copy;
  };

  it('are refused or read, whatever they are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        readsOrRefuses(() => decodeNpy(bytes, 'x'));
        readsOrRefuses(() => openNpz(bytes, 'x'));
      }),
    );
  });

  it('are refused or read when a good file was changed or cut', () => {
    fc.assert(
      fc.property(edits(npy.length), fc.nat(npy.length), (changes, end) => {
        readsOrRefuses(() => decodeNpy(edited(npy, changes, end), 'x'));
      }),
    );
    fc.assert(
      fc.property(edits(npz.length), fc.nat(npz.length), (changes, end) => {
        readsOrRefuses(() => {
          const archive = openNpz(edited(npz, changes, end), 'x');
          for (const name of archive.names) archive.read(name);
        });
      }),
      { numRuns: 500 },
    );
  });

  it('never read as other values: every changed byte of the content is found', () => {
    const archive = npzOf({ x: npy });
    const start = 30 + 'x.npy'.length;
    fc.assert(
      fc.property(
        fc.integer({ min: start, max: archive.length - 100 }),
        fc.integer({ min: 1, max: 255 }),
        (at, flip) => {
          const changed = archive.slice();
          changed[at]! ^= flip;
          let read: unknown;
          try {
            read = openNpz(changed, 'x').read('x');
          } catch (error) {
            expect(error).toBeInstanceOf(RefusedError);
            return;
          }
          expect(read).toEqual(decodeNpy(npy, 'x'));
        },
      ),
    );
  });

  it('do not unpack to more than they say', () => {
    const bomb = npzOf({ x: new Uint8Array(10_000_000) });
    const directory = Buffer.from(bomb).lastIndexOf('PK\x01\x02');
    Buffer.from(bomb.buffer).writeUInt32LE(1000, directory + 24);
    expect(() => openNpz(bomb, 'bomb').read('x')).toThrow('stored or deflated, whole');
    Buffer.from(bomb.buffer).writeUInt32LE(2 ** 31 - 1, directory + 24);
    expect(() => openNpz(bomb, 'bomb').read('x')).toThrow('claims');
  });

  it('may not name an array twice, nor hide one behind a password', () => {
    const twice = Buffer.from(npzOf({ aa: npy, bb: npy }));
    twice.write('aa.npy', twice.lastIndexOf('bb.npy'));
    expect(() => openNpz(twice, 'x')).toThrow('aa twice');
    const locked = Buffer.from(npzOf({ x: npy }));
    locked[locked.lastIndexOf('PK\x01\x02') + 8] = 1;
    expect(() => openNpz(locked, 'x')).toThrow('without encryption');
  });
});
