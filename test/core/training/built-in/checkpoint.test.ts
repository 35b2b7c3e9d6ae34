import fc from 'fast-check';
import { RefusedError } from '../../../../src/core/errors/index.js';
import { decodeCheckpoint, encodeCheckpoint } from '../../../../src/core/training/built-in/checkpoint.js';

const training = Buffer.alloc(32, 7);
const state = {
  done: 5_000_000_000,
  lossSum: 0.1 + 0.2,
  theta: Float32Array.of(1, -0, 3.5),
  firstMoment: Float32Array.of(0, 1e-40, 2),
  secondMoment: Float32Array.of(4, 5, 6),
};
const file = encodeCheckpoint(state, training);

describe('a checkpoint', () => {
  it('gives back exactly the state it was made of', () => {
    expect(decodeCheckpoint(file, training, 3)).toEqual(state);
  });

  it('is refused when any of its bytes changed or any is missing', () => {
    fc.assert(
      fc.property(fc.nat(file.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const damaged = Buffer.from(file);
        damaged[at]! ^= change;
        expect(() => decodeCheckpoint(damaged, training, 3)).toThrow(RefusedError);
        expect(() => decodeCheckpoint(file.subarray(0, at), training, 3)).toThrow(RefusedError);
      }),
    );
  });

  it('is refused for another training or another network', () => {
    expect(() => decodeCheckpoint(file, Buffer.alloc(32, 8), 3)).toThrow(/another training/);
    expect(() => decodeCheckpoint(file, training, 4)).toThrow(/another training/);
  });
});
