import fc from 'fast-check';
import { clopperPearson, logGamma } from '../../../src/core/statistics/index.js';

/** Made with scipy.stats.beta.ppf 1.17.1, confirmed to 30 digits by root-finding with mpmath 1.4.1. */
const references: readonly (readonly [number, number, number, number, number])[] = [
  [0, 1, 0.95, 0, 0.975],
  [1, 1, 0.95, 0.025, 1],
  [0, 10, 0.95, 0, 0.30849710781876083],
  [1, 10, 0.95, 0.0025285785444617843, 0.44501611702819543],
  [5, 10, 0.95, 0.18708602844739852, 0.8129139715526015],
  [9, 10, 0.99, 0.45571294310031313, 0.9994988714245354],
  [10, 10, 0.9, 0.7411344491069477, 1],
  [88, 100, 0.95, 0.7997643163800312, 0.9364310974388407],
  [880, 1000, 0.95, 0.8582331362071746, 0.8994990762518321],
  [359, 360, 0.95, 0.9846211259987373, 0.9999296752285018],
  [1, 1000, 0.999, 5.001249166197902e-7, 0.009953814340950773],
  [256, 359, 0.95, 0.6632825351673353, 0.7593464320513529],
  [300, 359, 0.995, 0.7742208449300123, 0.886366515157029],
  [9987, 10000, 0.95, 0.9977779863787409, 0.9993076289114248],
  [1, 100000, 0.95, 2.531780477933314e-7, 5.571516034774682e-5],
  [50000, 100000, 0.99, 0.495922334242564, 0.504077665757436],
  [999999, 1000000, 0.95, 0.9999944283693448, 0.9999999746821924],
];

const experiment = fc
  .integer({ min: 1, max: 1000 })
  .chain((n) => fc.record({ n: fc.constant(n), successes: fc.integer({ min: 0, max: n }) }));
const confidence = fc.constantFrom(0.9, 0.95, 0.99, 0.995, 0.9999);

describe('the Clopper–Pearson interval', () => {
  it.each(references)('of %d of %d at %d agrees with SciPy to 1e-12', (successes, n, level, lower, upper) => {
    const interval = clopperPearson(successes, n, level);
    expect(Math.abs(interval[0] - lower)).toBeLessThan(1e-12);
    expect(Math.abs(interval[1] - upper)).toBeLessThan(1e-12);
    // Tiny bounds keep their relative accuracy.
    if (lower > 0) expect(Math.abs(interval[0] / lower - 1)).toBeLessThan(1e-9);
  });

  it('contains the estimate and grows with the confidence', () => {
    fc.assert(
      fc.property(experiment, ({ successes, n }) => {
        const narrow = clopperPearson(successes, n, 0.9);
        const wide = clopperPearson(successes, n, 0.99);
        expect(wide[0]).toBeLessThanOrEqual(narrow[0]);
        expect(narrow[0]).toBeLessThanOrEqual(successes / n);
        expect(successes / n).toBeLessThanOrEqual(narrow[1]);
        expect(narrow[1]).toBeLessThanOrEqual(wide[1]);
      }),
    );
  });

  it('moves up with every success, and mirrors failures', () => {
    fc.assert(
      fc.property(experiment, confidence, ({ successes, n }, level) => {
        const [lower, upper] = clopperPearson(successes, n, level);
        if (successes < n) {
          const next = clopperPearson(successes + 1, n, level);
          expect(next[0]).toBeGreaterThan(lower);
          expect(next[1]).toBeGreaterThan(upper);
        }
        const mirrored = clopperPearson(n - successes, n, level);
        expect(mirrored[0]).toBeCloseTo(1 - upper, 14);
        expect(mirrored[1]).toBeCloseTo(1 - lower, 14);
      }),
    );
  });

  it.each([5, 20, 100])('covers every true proportion at least 95 %% of the time with n = %d', (n) => {
    const intervals = Array.from({ length: n + 1 }, (_, successes) => clopperPearson(successes, n, 0.95));
    for (let p = 0.01; p < 1; p += 0.01) {
      // Summed over every outcome of the experiment: the coverage itself, not a simulation of it.
      const coverage = intervals.reduce((sum, [lower, upper], successes) => {
        if (p < lower || p > upper) return sum;
        const ways = logGamma(n + 1) - logGamma(successes + 1) - logGamma(n - successes + 1);
        return sum + Math.exp(ways + successes * Math.log(p) + (n - successes) * Math.log1p(-p));
      }, 0);
      expect(coverage).toBeGreaterThanOrEqual(0.95 - 1e-12);
    }
  });

  it('says nothing without samples', () => {
    expect(clopperPearson(0, 0, 0.95)).toEqual([0, 1]);
  });

  it.each([
    [-1, 10, 0.95],
    [11, 10, 0.95],
    [0.5, 10, 0.95],
    [1, 10, 1],
    [1, 10, Number.NaN],
  ])('refuses %d of %d at %d', (successes, n, level) => {
    expect(() => clopperPearson(successes, n, level)).toThrow(RangeError);
  });
});
