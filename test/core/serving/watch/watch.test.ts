import { randomStream } from '../../../../src/core/random/index.js';
import {
  type Alarm,
  learnProfile,
  type Profile,
  type Suspicion,
  secretProjection,
  watchRequest,
} from '../../../../src/core/serving/index.js';
import { evidenceOf, noBets, placeBets } from '../../../../src/core/serving/watch/bets.js';

const now = new Date('2026-11-25T12:00:00Z');
const SIZE = 40;
const minimum = new Float32Array(SIZE);
const maximum = new Float32Array(SIZE).fill(1);
const project = secretProjection(minimum, maximum, 'a secret');

/** A cloud of honest samples, and what a model's margin on each would be. */
function honest(n: number, name: string): { samples: Float32Array; margins: Float64Array } {
  const draws = randomStream(1, 'honest', name);
  const samples = Float32Array.from({ length: n * SIZE }, () => 0.5 + 0.1 * draws.normal());
  return { samples, margins: Float64Array.from({ length: n }, () => draws.uniform()) };
}

const { samples, margins } = honest(300, 'known');
const profile: Profile = learnProfile(samples, margins, project);
const sampleOf = (all: Float32Array, index: number) => all.subarray(index * SIZE, (index + 1) * SIZE);

/** What a client's requests raise, and after how many. */
function alarmsOf(
  n: number,
  request: (index: number) => { readonly sample: Float32Array; readonly margin: number },
  at: (index: number) => Date = () => now,
): readonly Alarm[] {
  let suspicion: Suspicion | undefined;
  const raised: Alarm[] = [];
  for (let index = 0; index < n; index++) {
    const { sample, margin } = request(index);
    const seen = watchRequest(profile, suspicion, { point: project(sample), margin }, 0.001, at(index));
    suspicion = seen.suspicion;
    raised.push(...seen.alarms);
  }
  return raised;
}

describe('a watch over clients', () => {
  it('leaves honest clients alone, whether they ask much or the same again', () => {
    let accused = 0;
    for (let client = 0; client < 40; client++) {
      const asked = honest(400, `client ${client}`);
      const alarms = alarmsOf(400, (index) => ({
        sample: sampleOf(asked.samples, index),
        margin: asked.margins[index]!,
      }));
      if (alarms.length > 0) accused++;
    }
    // A thousandth is what is promised.
    expect(accused).toBe(0);
    const again = honest(1, 'again');
    expect(alarmsOf(1000, () => ({ sample: again.samples, margin: 0.9 }))).toEqual([]);
  });

  it.each<[string, string, (index: number) => { sample: Float32Array; margin: number }]>([
    [
      'small steps around one sample',
      'near-duplicates',
      (index) => {
        const draws = randomStream(2, 'step', index);
        const sample = sampleOf(samples, 0).map((value) => value + 0.01 * draws.normal());
        return { sample, margin: 0.5 };
      },
    ],
    [
      'questions where the model is unsure',
      'near-boundary',
      (index) => ({ sample: sampleOf(honest(1, `unsure ${index}`).samples, 0), margin: 0.001 }),
    ],
    [
      'noise',
      'unnatural',
      (index) => {
        const draws = randomStream(3, 'noise', index);
        return { sample: Float32Array.from({ length: SIZE }, () => draws.uniform()), margin: 0.5 };
      },
    ],
  ])('sees %s within a few dozen requests', (_, sign, request) => {
    const [alarm, ...more] = alarmsOf(60, request);
    expect(alarm).toMatchObject({ sign });
    expect(alarm!.asked).toBeLessThan(40);
    expect(more).toEqual([]);
  });

  it('begins every day without suspicion', () => {
    const raised = alarmsOf(
      100,
      () => ({ sample: sampleOf(samples, 0), margin: 0 }),
      (index) => new Date(now.getTime() + (index < 50 ? 0 : 86_400_000)),
    );
    expect(raised.map(({ sign }) => sign)).toEqual(['near-boundary', 'near-boundary']);
    expect(raised[1]!.asked).toBe(raised[0]!.asked);
  });

  it('wants enough honest samples to know them by', () => {
    const few = honest(99, 'few');
    expect(() => learnProfile(few.samples, few.margins, project)).toThrow(
      expect.objectContaining({ code: 'inputs-mismatch' }),
    );
  });
});

describe('bets against an honest rate', () => {
  it('are ever won against it no more often than they should be', () => {
    let won = 0;
    for (let run = 0; run < 1000; run++) {
      const draws = randomStream(4, 'bets', run);
      let bets = noBets();
      for (let request = 0; request < 300; request++) {
        bets = placeBets(bets, draws.uniform() < 0.05, 0.05);
        if (evidenceOf(bets) >= Math.log(20)) {
          won++;
          break;
        }
      }
    }
    // At most 1 / 20; five standard deviations above are 84.
    expect(won).toBeLessThanOrEqual(84);
    expect(won).toBeGreaterThan(0);
  });

  it('have a mean wealth that stays at one while the rate holds', () => {
    for (const rate of [0.01, 0.05, 0.3]) {
      const after = [true, false].map((happened) =>
        Math.exp(evidenceOf(placeBets(noBets(), happened, rate))),
      );
      expect(rate * after[0]! + (1 - rate) * after[1]!).toBeCloseTo(1, 12);
    }
  });
});
