import { randomStream } from '../../../src/core/random/index.js';
import { kolmogorovTail } from '../../../src/core/statistics/distribution-shift.js';
import {
  benjaminiHochberg,
  blockDiscrepancy,
  chiSquare,
  chiSquareTail,
  jensenShannon,
  kolmogorovSmirnov,
  noncentralChiSquareProbability,
  noncentralityInterval,
  populationStability,
} from '../../../src/core/statistics/index.js';
import references from './fixtures/shift-references.json';

describe('shift measures', () => {
  it.each(references.shifts)('agree with scipy on $a and $b', (reference) => {
    const { a, b } = reference;
    expect(populationStability(a, b, 0.95).estimate).toBeCloseTo(reference.psi, 12);
    expect(jensenShannon(a, b, 0.95).estimate).toBeCloseTo(reference.jensenShannon, 12);
    const [n, m] = [a, b].map((counts) => counts.reduce((total, count) => total + count)) as [number, number];
    const unequal = (2 * Math.sqrt(n * m)) / (n + m);
    expect(chiSquare(a, b, 0.95).estimate * unequal).toBeCloseTo(reference.cramersV, 12);
    expect(chiSquare(a, b, 0.95).pNone).toBeCloseTo(reference.chiSquareP, 12);
    expect(kolmogorovSmirnov(a, b, 0.95).estimate).toBeCloseTo(reference.ks, 12);
  });

  it('rest on distributions that agree with scipy', () => {
    for (const [x, degrees, tail] of references.chiSquareTail as [number, number, number][])
      expect(chiSquareTail(x, degrees) / tail).toBeCloseTo(1, 10);
    for (const [x, degrees, noncentrality, probability] of references.noncentral as number[][]) {
      const found = noncentralChiSquareProbability(x!, degrees!, noncentrality!);
      expect(found / probability!).toBeCloseTo(1, 9);
    }
    for (const [x, tail] of references.kolmogorov as [number, number][])
      expect(kolmogorovTail(x)).toBeCloseTo(tail, 12);
    const [probabilities, adjusted] = references.benjaminiHochberg as [number[], number[]];
    for (const [i, value] of benjaminiHochberg(probabilities).entries())
      expect(value).toBeCloseTo(adjusted[i]!, 12);
  });

  it('give a noncentrality at each end of the interval that makes the statistic just as unlikely as was said', () => {
    const [low, high] = noncentralityInterval(40, 9, 0.9);
    expect(noncentralChiSquareProbability(40, 9, low)).toBeCloseTo(0.95, 6);
    expect(noncentralChiSquareProbability(40, 9, high)).toBeCloseTo(0.05, 6);
    expect(noncentralityInterval(2, 9, 0.9)[0]).toBe(0);
  });

  // 300 pairs of samples: an interval of 95 % misses 15 of them or so, and more than 30 once in 10,000 such tests.
  it.each([
    ['population stability', populationStability, 0],
    ['population stability', populationStability, 0.35],
    ['Jensen–Shannon', jensenShannon, 0.35],
    ['chi-square', chiSquare, 0.35],
    ['Kolmogorov–Smirnov', kolmogorovSmirnov, 0.35],
  ] as const)('cover the true shift, by %s', (_, measure, tilt) => {
    const shares = (by: number) => Array.from({ length: 8 }, (__, i) => (1 + by * ((i - 3.5) / 3.5)) / 8);
    const [p, q] = [shares(0), shares(tilt)];
    const truth = measure(
      p.map((share) => share * 1e9),
      q.map((share) => share * 1e9),
      0.95,
    ).estimate;
    const drawn = (stream: { next(): number }, of: readonly number[], n: number) => {
      const counts = of.map(() => 0);
      for (let i = 0; i < n; i++) {
        const at = stream.next();
        const bin = of.findIndex((_share, k) => at < of.slice(0, k + 1).reduce((sum, one) => sum + one, 0));
        counts[bin === -1 ? of.length - 1 : bin]! += 1;
      }
      return counts;
    };
    let missed = 0;
    for (let i = 0; i < 300; i++) {
      const [a, b] = [drawn(draws(i, 'a'), p, 800), drawn(draws(i, 'b'), q, 500)];
      const [low, high] = measure(a, b, 0.95).interval;
      if (!(low <= truth + 1e-6 && truth <= high)) missed += 1;
    }
    expect(missed).toBeLessThanOrEqual(30);
  });

  it('doubt a shift beyond what is allowed, the more the more rows there are', () => {
    const large = [populationStability, jensenShannon, chiSquare, kolmogorovSmirnov].map((measure) =>
      [20, 200, 20_000].map((n) => measure([n, n, n], [n, n * 2, n * 4], 0.95).pBeyond(0.1)),
    );
    for (const [few, some, many] of large) {
      expect(few!).toBeGreaterThan(0.01);
      expect(some!).toBeLessThan(few!);
      expect(many!).toBeLessThan(1e-6);
    }
    expect(chiSquare([9, 0], [7, 0], 0.95)).toMatchObject({ estimate: 0, interval: [0, 0], pNone: 1 });
  });
});

function draws(i: number, name: string) {
  const stream = randomStream(i, `shift ${name}`);
  return { next: () => stream.uniform() };
}

describe('the maximum mean discrepancy', () => {
  const block = (seed: number, mean: number) => {
    const stream = randomStream(seed, 'block');
    return Float64Array.from({ length: 3 }, () => mean + stream.normal());
  };
  const side = (from: number, mean: number) => Array.from({ length: 20 }, (_, i) => block(from + i, mean));

  it('is the distance of means, less what chance alone adds', () => {
    // By hand: means (1, 0) and (0, 0); within a, the pair (2, 0), (0, 0) has the product 0, and within b all are 0.
    const [a, b] = [
      [Float64Array.of(2, 0), Float64Array.of(0, 0)],
      [Float64Array.of(0, 1), Float64Array.of(0, -1)],
    ];
    // 0 for a; (0, 1)·(0, −1) = −1 for b; products between a and b are 0: −1, which is no distance.
    expect(blockDiscrepancy(a, b, 0.95).estimate).toBe(0);
    const far = [Float64Array.of(3, 4), Float64Array.of(3, 4)];
    expect(blockDiscrepancy(far, [Float64Array.of(0, 0), Float64Array.of(0, 0)], 0.95).estimate).toBeCloseTo(
      5,
      12,
    );
  });

  it('has an interval that covers the truth', () => {
    let missed = 0;
    for (let i = 0; i < 200; i++) {
      const [low, high] = blockDiscrepancy(side(i * 100, 0), side(i * 100 + 50, i % 2), 0.95).interval;
      const truth = (i % 2) * Math.sqrt(3);
      if (!(low <= truth && truth <= high)) missed += 1;
    }
    expect(missed).toBeLessThanOrEqual(20);
  });
});
