import fc from 'fast-check';
import { voteCertificate } from '../../../../src/core/certification/index.js';

const tally = (choices: readonly number[], classes: number): number[] =>
  Array.from({ length: classes }, (_, c) => choices.filter((choice) => choice === c).length);

/** Every way in which voters may choose. */
function* elections(voters: number, classes: number): Generator<number[]> {
  for (let code = 0; code < classes ** voters; code++) {
    yield Array.from({ length: voters }, (_, i) => Math.floor(code / classes ** i) % classes);
  }
}

describe('a certificate of votes', () => {
  it('is the most voters that may change at will without changing the winner, counted out', () => {
    const election = fc.integer({ min: 2, max: 4 }).chain((classes) =>
      fc.tuple(
        fc.constant(classes),
        fc.array(fc.integer({ min: 0, max: classes - 1 }), {
          minLength: 1,
          maxLength: classes === 2 ? 8 : 5,
        }),
      ),
    );
    fc.assert(
      fc.property(election, ([classes, choices]) => {
        const { predicted, radius } = voteCertificate(tally(choices, classes));
        let fewest = Number.POSITIVE_INFINITY;
        for (const other of elections(choices.length, classes)) {
          const votes = tally(other, classes);
          if (votes.indexOf(Math.max(...votes)) === predicted) continue;
          fewest = Math.min(fewest, other.filter((choice, i) => choice !== choices[i]).length);
        }
        expect(radius).toBe(fewest - 1);
      }),
      { numRuns: 60 },
    );
  });

  it.each([
    // The first of equals wins: class 1 needs a vote more than class 0 has, and class 0 none.
    [[5, 5], 0, 0],
    [[4, 6], 1, 0],
    [[6, 4], 0, 1],
    [[3, 7], 1, 1],
    [[0, 50, 0], 1, 24],
    [[50, 0, 0], 0, 25],
    [[7], 0, 3],
    [[], -1, 0],
  ])('of %j is for class %i at radius %i', (votes, predicted, radius) => {
    expect(voteCertificate(votes)).toEqual({ predicted, radius });
  });
});
