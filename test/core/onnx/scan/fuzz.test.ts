import { readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { scanModel } from '../../../../src/core/onnx/index.js';
import { attribute, field, int64s, model, node, tensor } from './protobuf.js';

const honest = readFileSync(path.join(__dirname, '../../attacks/fixtures/digits-cnn.onnx'));
const small = model({
  nodes: [
    node(
      'ConstantOfShape',
      ['n'],
      ['c'],
      attribute('value', 4, field(5, tensor('', 1, [1], field(9, new Uint8Array(4))))),
    ),
    node('Add', ['x', 'c'], ['y'], field(3, 'add')),
  ],
  initializers: [tensor('n', 7, [1], int64s([2]))],
  inModel: [field(14, [field(1, 'task'), field(2, 'digits')])],
});

/** Bits flipped, bytes set, the end cut off, and one part of the file copied over or into another. */
type Change = (bytes: Uint8Array) => Uint8Array;
const place = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });
const at = (bytes: Uint8Array, where: number): number => Math.floor(where * bytes.length);
const changes: fc.Arbitrary<Change> = fc.oneof(
  fc.tuple(place, fc.nat(7)).map(
    ([where, bit]): Change =>
      (bytes) => {
        const copy = Uint8Array.from(bytes);
        copy[at(bytes, where)]! ^= 1 << bit;
        return copy;
      },
  ),
  fc.tuple(place, fc.constantFrom(0, 1, 127, 128, 255)).map(
    ([where, value]): Change =>
      (bytes) => {
        const copy = Uint8Array.from(bytes);
        copy[at(bytes, where)] = value;
        return copy;
      },
  ),
  place.map(
    (where): Change =>
      (bytes) =>
        bytes.subarray(0, at(bytes, where)),
  ),
  fc.tuple(place, place, fc.nat(64)).map(
    ([from, to, length]): Change =>
      (bytes) => {
        const part = bytes.subarray(at(bytes, from), at(bytes, from) + length);
        return Buffer.concat([bytes.subarray(0, at(bytes, to)), part, bytes.subarray(at(bytes, to))]);
      },
  ),
);

test('a scan of a mutilated model throws nothing, and passes only what can be read', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(small, honest),
      fc.array(changes, { minLength: 1, maxLength: 4 }),
      (bytes, applied) => {
        const mutilated = applied.reduce(
          (before, change) => (before.length > 0 ? change(before) : before),
          bytes,
        );
        const { counts, findings } = scanModel(mutilated);
        expect(findings.length).toBe(counts.error + counts.warning + counts.note);
      },
    ),
    { numRuns: 1500, seed: 7 },
  );
});
