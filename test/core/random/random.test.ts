import fc from 'fast-check';
import { normalField, permutation, philox4x32, randomStream } from '../../../src/core/random/index.js';

/** Known-answer vectors of Random123 1.14, `tests/kat_vectors`, rows `philox4x32 10`. */
const knownAnswers = [
  {
    counter: '00000000 00000000 00000000 00000000',
    key: '00000000 00000000',
    out: '6627e8d5 e169c58d bc57ac4c 9b00dbd8',
  },
  {
    counter: 'ffffffff ffffffff ffffffff ffffffff',
    key: 'ffffffff ffffffff',
    out: '408f276d 41c83b0e a20bc7c6 6d5451fd',
  },
  {
    counter: '243f6a88 85a308d3 13198a2e 03707344',
    key: 'a4093822 299f31d0',
    out: 'd16cfe09 94fdcceb 5001e420 24126ea1',
  },
];
const words = (text: string) => text.split(' ').map((word) => Number.parseInt(word, 16));

describe('Philox', () => {
  it.each(knownAnswers)('gives the published answer for counter $counter', ({ counter, key, out }) => {
    const result = philox4x32(words(counter) as never, words(key) as never);
    expect(result).toEqual(words(out));
  });
});

describe('a random stream', () => {
  const seeds = fc.integer({ min: 0, max: 2 ** 32 - 1 });

  it('repeats itself under the same name and differs under any other', () => {
    fc.assert(
      fc.property(seeds, fc.string(), fc.nat(), (seed, label, index) => {
        const draws = (stream: { uint32(): number }) => [
          stream.uint32(),
          stream.uint32(),
          stream.uint32(),
          stream.uint32(),
        ];
        const first = draws(randomStream(seed, label, index));
        expect(draws(randomStream(seed, label, index))).toEqual(first);
        expect(draws(randomStream(seed, label, `${index}`))).not.toEqual(first);
        expect(draws(randomStream(seed, label, index + 1))).not.toEqual(first);
      }),
    );
  });

  it('has uniform and normal draws with the right moments', () => {
    const stream = randomStream(11, 'moments');
    const n = 20_000;
    const mean = (draws: number[]) => draws.reduce((sum, value) => sum + value, 0) / draws.length;
    const uniform = Array.from({ length: n }, () => stream.uniform());
    const normal = Array.from({ length: n }, () => stream.normal());
    expect(Math.abs(mean(uniform) - 0.5)).toBeLessThan(4 / Math.sqrt(12 * n));
    expect(Math.abs(mean(normal))).toBeLessThan(4 / Math.sqrt(n));
    expect(Math.abs(mean(normal.map((x) => x * x)) - 1)).toBeLessThan(4 * Math.sqrt(2 / n));
  });

  it('draws bounded integers inside their bound and permutations that keep every element', () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 1, max: 300 }), (seed, n) => {
        expect(randomStream(seed, 'bounded').integer(n)).toBeLessThan(n);
        expect([...permutation(randomStream(seed, 'order'), n)].sort((a, b) => a - b)).toEqual(
          Array.from({ length: n }, (_, i) => i),
        );
      }),
    );
  });
});

describe('a field of normal draws', () => {
  const part = (from: number, to: number) => {
    const draws = new Float64Array(to - from);
    normalField(3, 'noise').fill(draws, from);
    return [...draws];
  };

  it('gives any part of itself alone', () => {
    const whole = part(0, 64);
    fc.assert(
      fc.property(fc.nat({ max: 64 }), fc.nat({ max: 64 }), (one, other) => {
        const [from, to] = [Math.min(one, other), Math.max(one, other)];
        expect(part(from, to)).toEqual(whole.slice(from, to));
      }),
    );
    expect(new Set([...whole, ...part(2 ** 33, 2 ** 33 + 64)]).size).toBe(128);
  });

  it('is normal: its shares below quantiles are theirs', () => {
    const draws = part(0, 40_000);
    for (const [quantile, share] of [
      [-2.326347874040841, 0.01],
      [-0.6744897501960817, 0.25],
      [0, 0.5],
      [1.2815515655446004, 0.9],
    ] as const) {
      const below = draws.filter((draw) => draw <= quantile).length / draws.length;
      expect(Math.abs(below - share)).toBeLessThan(4 * Math.sqrt((share * (1 - share)) / draws.length));
    }
  });
});
