import { randomStream } from '../../../src/core/random/index.js';
import { equalFrequencies } from '../../../src/core/statistics/index.js';

describe('the test of equal frequencies', () => {
  it.each([
    // A lady tasting tea: Fisher, "The design of experiments", section 5 to 9; both tails.
    [{ one: 4, other: 0 }, 2 / 70],
    [{ one: 3, other: 1 }, 34 / 70],
    [{ one: 2, other: 2 }, 1],
  ])('is Fisher’s exact test of one question, doubled for two looks', (tally, expected) => {
    expect(equalFrequencies([tally], { one: 4, other: 4 })).toBeCloseTo(Math.min(1, 2 * expected), 12);
  });

  it('adds questions up, and tells a party that always says yes more often from one that does now and then', () => {
    // Of four yeses among 4 + 4 answers, the one has all or none with chance 1/70 each.
    const asked = { one: 4, other: 4 };
    const [all, none] = [
      { one: 4, other: 0 },
      { one: 0, other: 4 },
    ];
    expect(equalFrequencies([all, all], asked)).toBeCloseTo(2 * (2 / 70 ** 2), 12);
    expect(equalFrequencies([all, none], asked)).toBeCloseTo(2 * (4 / 70 ** 2), 12);
    const slightly = Array.from({ length: 60 }, () => ({ one: 19, other: 18 }));
    expect(equalFrequencies(slightly, { one: 21, other: 21 })).toBeLessThan(1e-3);
  });

  it('learns nothing from unanimous answers', () => {
    expect(
      equalFrequencies(
        [
          { one: 0, other: 0 },
          { one: 21, other: 21 },
        ],
        { one: 21, other: 21 },
      ),
    ).toBe(1);
    expect(equalFrequencies([], { one: 21, other: 21 })).toBe(1);
  });

  it('raises false alarms no more often than it says, and sees a model that drifts', () => {
    const stream = randomStream(2, 'equal-frequencies');
    const count = (chance: number): number =>
      Array.from({ length: 21 }, () => Number(stream.uniform() < chance)).reduce((sum, one) => sum + one, 0);
    const chanceOf = (drift: number): number =>
      equalFrequencies(
        Array.from({ length: 30 }, (_, i) => {
          const chance = (i + 1) / 40;
          return { one: count(chance), other: count(chance + drift) };
        }),
        { one: 21, other: 21 },
      );
    const honest = Array.from({ length: 400 }, () => chanceOf(0));
    expect(honest.filter((chance) => chance < 0.05).length).toBeLessThan(35);
    expect(honest.filter((chance) => chance < 0.5).length).toBeGreaterThan(140);
    expect(chanceOf(0.2)).toBeLessThan(1e-3);
  });
});
