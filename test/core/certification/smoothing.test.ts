import fc from 'fast-check';
import {
  answerSmoothed,
  type CertifiableModel,
  certificateOf,
  countVotes,
  smoothedPrediction,
  smoothing,
} from '../../../src/core/certification/index.js';
import { normalField } from '../../../src/core/random/index.js';

/** Two classes, parted by the plane w·x + b = 0: Φ(distance / σ) of all noisy copies fall on a sample's own side. */
const weights = [1, -2, 0.5];
const bias = 0.3;
const length = Math.hypot(...weights);
const score = (x: ArrayLike<number>, at = 0) =>
  weights.reduce((sum, weight, i) => sum + weight * x[at + i]!, bias);
const plane: CertifiableModel = {
  onnx: new Uint8Array(),
  shape: [3],
  classes: 2,
  minimum: new Float32Array(3),
  maximum: new Float32Array(3).fill(1),
  logits: async (inputs, n) =>
    Float32Array.from({ length: 2 * n }, (_, i) => (i % 2 === 1 ? score(inputs, 3 * (i >> 1)) : 0)),
};
const options = { sigma: 0.5, n: 1000, n0: 50, alpha: 0.001, seed: 5 };
const samples = Array.from({ length: 24 }, (_, i) =>
  Float32Array.from([((i * 7) % 40) / 40, ((i * 11) % 40) / 40, ((i * 17) % 40) / 40]),
);

describe('a smoothing certificate', () => {
  // scipy 1.15: beta.ppf(alpha, count, n − count + 1), as proportion_confint(method="beta") of the authors' code takes it,
  // and sigma · norm.ppf of it.
  it.each([
    [100000, 100000, 0.001, 0.5, 1.9057282816949572],
    [99000, 100000, 0.001, 0.25, 0.5724999888034416],
    [9990, 10000, 0.001, 0.5, 1.4092991501991226],
    [10000, 10000, 0.001, 0.5, 1.5992887573691692],
    [7000, 10000, 0.001, 1.0, 0.4835787671285858],
    [5200, 10000, 0.001, 0.5, 0.005642350595748035],
    [950, 1000, 0.01, 0.12, 0.17853320624538446],
  ])('of %i votes in %i at alpha %f and sigma %f has the radius %f', (count, n, alpha, sigma, radius) => {
    const certificate = certificateOf({ leader: 3, count }, { sigma, n, alpha });
    expect(certificate.predicted).toBe(3);
    expect(certificate.radius).toBeCloseTo(radius, 8);
    expect(certificate.radius).toBeLessThanOrEqual(radius);
  });

  it('abstains where votes do not show a majority, or are no class', () => {
    const setting = { sigma: 0.5, n: 10_000, alpha: 0.001 };
    expect(certificateOf({ leader: 3, count: 5100 }, setting)).toEqual({ predicted: -1, radius: 0 });
    expect(certificateOf({ leader: -1, count: 10_000 }, setting)).toEqual({ predicted: -1, radius: 0 });
  });

  it('grows with votes and with alpha, and is never longer than the share of votes itself allows', () => {
    const alphas = fc.double({ min: 1e-6, max: 0.3, noNaN: true });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5000 }), fc.nat(), alphas, (n, some, alpha) => {
        const count = some % n;
        const radius = (votes: number, level = alpha) =>
          certificateOf({ leader: 0, count: votes }, { sigma: 1, n, alpha: level }).radius;
        expect(radius(count + 1)).toBeGreaterThanOrEqual(radius(count));
        expect(radius(count, alpha * 2)).toBeGreaterThanOrEqual(radius(count));
        if (2 * count <= n) expect(radius(count)).toBe(0);
      }),
    );
  });

  it('stays inside the margin of a linear classifier, and comes near it', async () => {
    const certifier = await smoothing.open(plane, options);
    for (const [i, sample] of samples.entries()) {
      const { predicted, radius } = await certifier.certify(sample, `s${i}`);
      const margin = score(sample) / length;
      if (predicted !== -1) expect(predicted).toBe(margin > 0 ? 1 : 0);
      expect(radius).toBeLessThanOrEqual(Math.abs(margin));
      // Of 1000 votes, few are needed to show what lies one standard deviation away.
      if (Math.abs(margin) < 0.6) expect(radius).toBeGreaterThan(Math.abs(margin) - 0.16);
    }
  });

  it('depends on the sample and its id, and on nothing that happened before', async () => {
    const first = await smoothing.open(plane, options);
    const other = await smoothing.open(plane, options);
    const [one, two] = [samples[1]!, samples[2]!];
    const alone = await first.certify(two, 'two');
    await other.certify(one, 'one');
    expect(await other.certify(two, 'two')).toEqual(alone);
    expect((await other.certify(two, 'else')).count).not.toBe(alone.count);
    expect((await (await smoothing.open(plane, { ...options, seed: 6 })).certify(two, 'two')).count).not.toBe(
      alone.count,
    );
  });

  it('chooses the class by other noise than it counts with', async () => {
    const seen: Float32Array[] = [];
    const watched = {
      ...plane,
      logits: (inputs: Float32Array, n: number) => {
        seen.push(inputs.slice());
        return plane.logits(inputs, n);
      },
    };
    const certifier = await smoothing.open(watched, { ...options, n: 50 });
    await certifier.certify(samples[0]!, 'a');
    expect(seen.map(({ length: values }) => values)).toEqual([150, 150]);
    const [chose, counted] = seen.map((values) => new Set(values));
    expect([...counted!].filter((value) => chose!.has(value))).toEqual([]);
  });

  it('gives noise of the right spread to every copy, however copies are batched, and does not clip it', async () => {
    const copies: number[] = [];
    const watched = {
      ...plane,
      logits: (inputs: Float32Array, n: number) => {
        copies.push(...inputs);
        return plane.logits(inputs, n);
      },
    };
    await (await smoothing.open(watched, { ...options, n: 4000 })).certify(
      new Float32Array(3).fill(0.5),
      'a',
    );
    const noise = copies.slice(150).map((value) => (value - 0.5) / options.sigma);
    const mean = noise.reduce((sum, value) => sum + value, 0) / noise.length;
    const square = noise.reduce((sum, value) => sum + value ** 2, 0) / noise.length;
    expect(noise).toHaveLength(12_000);
    expect(new Set(noise).size).toBeGreaterThan(11_990);
    expect(Math.abs(mean)).toBeLessThan(4 / Math.sqrt(12_000));
    expect(Math.abs(square - 1)).toBeLessThan(4 * Math.sqrt(2 / 12_000));
    expect(Math.max(...noise)).toBeGreaterThan(3);
  });

  it('counts answers that are no numbers as votes for no class', async () => {
    const broken = {
      ...plane,
      logits: async (_: Float32Array, n: number) => new Float32Array(2 * n).fill(Number.NaN),
    };
    const certifier = await smoothing.open(broken, options);
    expect(await certifier.certify(samples[0]!, 'a')).toEqual({
      predicted: -1,
      radius: 0,
      leader: -1,
      count: 0,
    });
  });

  it('rejects with the failure of the model', async () => {
    const failing = { ...plane, logits: () => Promise.reject(new Error('no memory')) };
    const certifier = await smoothing.open(failing, options);
    await expect(certifier.certify(samples[0]!, 'a')).rejects.toThrow('no memory');
  });
});

describe('the prediction of a smoothed classifier', () => {
  // scipy 1.15, binomtest(leader, leader + runner-up, 0.5).pvalue: 0.00179, 0.000874, 0.00195, 0.000977, 0.00173, 0.00089.
  it.each([
    [66, 34, undefined],
    [67, 33, 7],
    [10, 0, undefined],
    [11, 0, 7],
    [550, 450, undefined],
    [553, 447, 7],
  ])('for %i votes against %i at alpha 0.001 is %s', (count, runnerUp, expected) => {
    expect(smoothedPrediction({ leader: 7, count, runnerUp }, 0.001)).toBe(expected);
  });

  it('says of an input near the plane nothing rather than what may be wrong', async () => {
    const answer = (x: Float32Array) =>
      answerSmoothed(plane, x, { sigma: 0.5, samples: 200, alpha: 0.001 }, normalField(1, `${x}`));
    const clear = await answer(Float32Array.from([1, 0, 1]));
    expect(clear.predicted).toBe(1);
    expect(clear.shares[1]).toBeGreaterThan(0.9);
    expect(clear.shares[0]! + clear.shares[1]!).toBeCloseTo(1, 6);
    // On the plane itself, either class would be wrong.
    expect((await answer(Float32Array.from([0.2, 0.25, 0]))).predicted).toBe(-1);
  });

  it('takes the two classes with most votes, and abstains where most answers are no class', () => {
    expect(countVotes([2, 1, 2, 0, 2, 1])).toEqual({ leader: 2, count: 3, runnerUp: 2 });
    expect(countVotes([4, 4])).toEqual({ leader: 4, count: 2, runnerUp: 0 });
    expect(smoothedPrediction(countVotes(Array(50).fill(-1)), 0.001)).toBeUndefined();
  });
});
