import fc from 'fast-check';
import type { Thief, Victim } from '../../../../src/core/attacks/extraction/attack.js';
import { extractionAttacks } from '../../../../src/core/attacks/extraction/registry.js';
import { hardTargets, softTargets } from '../../../../src/core/attacks/extraction/targets.js';
import { imitate } from '../../../../src/core/training/index.js';

const told = (label: number, ...probabilities: readonly number[]) => ({
  labels: Int32Array.of(label),
  probabilities: Float64Array.from(probabilities),
});

describe('what a thief reads out of an answer', () => {
  it.each<[string, ReturnType<typeof told>, number, readonly number[]]>([
    ['probabilities as they are', told(0, 0.7, 0.2, 0.1), 1, [0.7, 0.2, 0.1]],
    ['a temperature, undone', told(1, 1 / 3, 2 / 3, 0), 2, [0.2, 0.8, 0]],
    ['what the largest lack to one, spread over the rest', told(2, 0, 0, 0.8), 1, [0.1, 0.1, 0.8]],
    ['the label where nothing else is told', told(1, 0, 0, 0), 1, [0, 1, 0]],
    ['nothing where the model abstains', told(-1, 0, 0, 0), 1, [1 / 3, 1 / 3, 1 / 3]],
  ])('is %s', (_, answer, temperature, expected) => {
    softTargets(answer, 3, temperature).forEach((value, index) => {
      expect(value).toBeCloseTo(expected[index]!, 6);
    });
  });

  it('is a distribution, whatever is told', () => {
    const answers = fc.record({
      label: fc.integer({ min: -1, max: 2 }),
      probabilities: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 3, maxLength: 3 }),
      temperature: fc.double({ min: 1, max: 20, noNaN: true }),
    });
    fc.assert(
      fc.property(answers, ({ label, probabilities, temperature }) => {
        const answer = told(label, ...probabilities);
        for (const targets of [softTargets(answer, 3, temperature), hardTargets(answer.labels, 3)]) {
          expect(targets.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 5);
          for (const value of targets) expect(value).toBeGreaterThanOrEqual(0);
        }
      }),
    );
  });
});

describe.each(extractionAttacks.map((attack) => [attack.name, attack] as const))('%s', (_, attack) => {
  // Class 1 where x > y: a model that no probabilities are needed to copy.
  const asked: Float32Array[] = [];
  const victim = (budget: number): Victim => {
    let remaining = budget;
    return {
      classes: 2,
      remaining: () => remaining,
      async ask(inputs, n) {
        asked.push(inputs);
        remaining -= n;
        const labels = Int32Array.from({ length: n }, (_, i) => Number(inputs[2 * i]! > inputs[2 * i + 1]!));
        return {
          labels,
          probabilities: Float64Array.from(
            labels.length === 0 ? [] : [...labels].flatMap((label) => [1 - label, label]),
          ),
        };
      },
    };
  };
  const thief: Thief = {
    owned: {
      ids: Array.from({ length: 40 }, (_, i) => `own ${i}`),
      inputs: Float32Array.from({ length: 80 }, (_, i) => ((i * 37) % 80) / 80),
    },
    shape: [2],
    minimum: Float32Array.of(0, 0),
    maximum: Float32Array.of(1, 1),
    temperature: 1,
    seed: 7,
    imitate: (ids, inputs, targets, effort) =>
      imitate(
        { ids, inputs, targets },
        {
          shape: [2],
          classes: 2,
          minimum: Float32Array.of(0, 0),
          maximum: Float32Array.of(1, 1),
          steps: effort === 'final' ? 100 : 50,
          seed: 7,
        },
      ),
  };

  it('spends its budget and no more, inside the valid range, and steals the same copy again', async () => {
    asked.length = 0;
    const service = victim(150);
    const copy = await attack.steal(service, thief);
    expect(service.remaining()).toBe(0);
    for (const inputs of asked) {
      for (const value of inputs) {
        expect(value).toBeGreaterThanOrEqual(0);
        expect(value).toBeLessThanOrEqual(1);
      }
    }
    expect(Buffer.from(await attack.steal(victim(150), thief)).equals(copy)).toBe(true);
  });
});
