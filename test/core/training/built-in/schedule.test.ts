import { scheduleSchema } from '../../../../src/core/spec/training-schedule.js';
import { learningRateAt, rampAt } from '../../../../src/core/training/built-in/schedule.js';

const rate = (schedule: object | undefined, epochsDone: number) =>
  learningRateAt(
    { learningRate: 0.5, epochs: 10, schedule: schedule && scheduleSchema.parse(schedule) },
    epochsDone,
  );

describe('the learning rate', () => {
  it.each<[string, object | undefined, readonly (readonly [number, number])[]]>([
    [
      'stays as it is',
      undefined,
      [
        [0.1, 0.5],
        [9.9, 0.5],
      ],
    ],
    [
      'warms up linearly',
      { kind: 'constant', warmUpEpochs: 2 },
      [
        [0.5, 0.125],
        [1, 0.25],
        [2, 0.5],
        [9, 0.5],
      ],
    ],
    [
      'falls as half a cosine',
      { kind: 'cosine' },
      [
        [0, 0.5],
        [5, 0.25],
        [10 / 3, 0.375],
        [10, 0],
      ],
    ],
    [
      'falls to its final share',
      { kind: 'cosine', final: 0.2 },
      [
        [0, 0.5],
        [5, 0.3],
        [10, 0.1],
      ],
    ],
    [
      'falls in steps',
      { kind: 'step', epochs: [4, 8] },
      [
        [3.9, 0.5],
        [4, 0.05],
        [7.9, 0.05],
        [8, 0.005],
      ],
    ],
    [
      'rises and falls once',
      { kind: 'one-cycle', peak: 0.2 },
      [
        [1, 0.25],
        [2, 0.5],
        [6, 0.25],
        [10, 0],
      ],
    ],
  ])('%s', (_what, schedule, expected) => {
    for (const [epochsDone, value] of expected) expect(rate(schedule, epochsDone)).toBeCloseTo(value, 12);
  });
});

it('a ramp rises from its start to its end, and is full where there is none', () => {
  const ramp = { start: 2, epochs: 4 };
  expect([0, 2, 3, 4, 6, 9].map((at) => rampAt(ramp, at))).toEqual([0, 0, 0.25, 0.5, 1, 1]);
  expect(rampAt(undefined, 0)).toBe(1);
});
