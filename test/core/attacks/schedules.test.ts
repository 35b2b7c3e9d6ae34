import { checkpoints } from '../../../src/core/attacks/apgd-schedule.js';
import { shareAt } from '../../../src/core/attacks/square.js';

describe('the schedules of the papers', () => {
  it('put the checkpoints of Auto-PGD at 22, 41, 57, 70, 80, 87, 93 and 99 percent of the steps', () => {
    expect(checkpoints(100)).toEqual([22, 41, 57, 70, 80, 87, 93, 99]);
    expect(checkpoints(50)).toEqual([11, 21, 29, 35, 40, 44, 47, 50]);
    expect(checkpoints(1)).toEqual([1]);
  });

  it('halve the squares nine times, as often for few queries as for many', () => {
    const shares = (queries: number) =>
      [0, 0.001, 0.0011, 0.006, 0.03, 0.06, 0.11, 0.25, 0.45, 0.65, 0.9].map((part) =>
        Math.log2(0.8 / shareAt(part * queries, queries)),
      );
    expect(shares(10_000)).toEqual([0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(shares(2000)).toEqual(shares(10_000));
  });
});
