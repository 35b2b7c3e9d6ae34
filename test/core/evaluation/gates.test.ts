import fc from 'fast-check';
import { controlLimits } from '../../../src/core/evaluation/controls/limits.js';
import { evasionGate } from '../../../src/core/evaluation/evasion-gate.js';
import { type EvasionRow, isBrokenBy } from '../../../src/core/evaluation/evasion-row.js';
import type { Decision } from '../../../src/core/evaluation/index.js';
import {
  chooseSamples,
  type EvidenceRow,
  policyDigest,
  runKey,
  withGate,
} from '../../../src/core/evaluation/index.js';
import { sparedBy } from '../../../src/core/evaluation/suite-attacks.js';
import {
  type AccuracyGateSpec,
  type EvasionGateSpec,
  type GateSpec,
  gatesSchema,
  suiteOrder,
} from '../../../src/core/spec/index.js';

const parsed = gatesSchema.parse([
  { gate: 'accuracy', minimum: 0.8 },
  { gate: 'evasion', norm: 'linf', epsilon: 0.1, minimum: 0.8 },
]);
const accuracy = parsed[0] as AccuracyGateSpec;
const evasion = parsed[1] as EvasionGateSpec;
const classes = ['cat', 'dog'];

/** Decides over rows of the right shape, as `decideAgain` does after parsing them. */
function decide(spec: GateSpec, rows: readonly EvidenceRow[], obstacle?: string): Decision {
  return withGate(spec, (gate, own) =>
    gate.decide(own, {
      rows: rows.map((row) => gate.rowSchema.parse(row)),
      classes,
      ...(obstacle === undefined ? {} : { obstacle }),
    }),
  );
}

const clean = (
  n: number,
  correct: (i: number) => boolean,
  label = (_i: number) => 0,
): readonly EvidenceRow[] =>
  Array.from({ length: n }, (_, i) => ({
    id: `${i}`,
    label: label(i),
    predicted: correct(i) ? label(i) : 1 - label(i),
    correct: correct(i),
  }));

describe('the accuracy gate', () => {
  it('passes, fails or leaves open by the whole interval, and says so with numbers', () => {
    const ninety = clean(1000, (i) => i >= 100);
    expect(decide({ ...accuracy, minimum: 0.87 }, ninety)).toMatchObject({
      status: 'pass',
      estimate: 0.9,
      n: 1000,
      threshold: 0.87,
      reasons: [
        'Accuracy 0.9000, 95 % interval [0.8797, 0.9179] of 1000 samples, lies wholly at or above the minimum 0.8700.',
      ],
    });
    expect(decide({ ...accuracy, minimum: 0.89 }, ninety)).toMatchObject({
      status: 'inconclusive',
      reasons: [expect.stringContaining('contains the minimum 0.8900')],
    });
    expect(decide({ ...accuracy, minimum: 0.93 }, ninety)).toMatchObject({
      status: 'fail',
      reasons: [expect.stringContaining('lies wholly below the minimum 0.9300')],
    });
  });

  it('fails a model that is good over all and bad in one class', () => {
    const rows = clean(
      1000,
      (i) => i >= 50,
      (i) => (i < 100 ? 1 : 0),
    );
    expect(decide(accuracy, rows).status).toBe('pass');
    const perClass = decide({ ...accuracy, minimumPerClass: 0.8 }, rows);
    expect(perClass.status).toBe('fail');
    expect(perClass.reasons[1]).toMatch(
      /^Accuracy of class dog 0\.5000, 97\.5 % interval .* of 100 samples, lies wholly below/,
    );
    expect(perClass.figures).toEqual({ 'accuracy of class cat': 1, 'accuracy of class dog': 0.5 });
  });

  it('does not judge a class that it has not seen', () => {
    expect(
      decide(
        { ...accuracy, minimumPerClass: 0.5 },
        clean(500, () => true),
      ),
    ).toMatchObject({
      status: 'inconclusive',
      reasons: [expect.anything(), 'Class dog has no test samples to judge it by.'],
    });
  });

  it('leaves open what no sample speaks of', () => {
    expect(decide(accuracy, [])).toMatchObject({ status: 'inconclusive', interval: [0, 1], n: 0 });
  });

  it('never gives a worse status for a lower minimum', () => {
    const order = ['fail', 'inconclusive', 'pass'];
    fc.assert(
      fc.property(
        fc.nat(60),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (right, one, other) => {
          const rows = clean(60, (i) => i < right);
          const [low, high] = [Math.min(one, other), Math.max(one, other)].map((minimum) =>
            order.indexOf(decide({ ...accuracy, minimum }, rows).status),
          );
          expect(low).toBeGreaterThanOrEqual(high!);
        },
      ),
    );
  });
});

const standing = { claimed: false, broken: false, distance: 0.1, prediction: 0 };
const fallen = { claimed: true, broken: true, distance: 0.1, prediction: 1 };

type Outcomes = NonNullable<EvasionRow['attacks']>;
/** What an honest suite writes down: later attacks only where nothing before them broke the sample. */
const attacked = (changes: Partial<Outcomes> = {}): Outcomes => {
  const outcomes: Outcomes = {
    fgsm: standing,
    pgd: standing,
    'apgd-ce': standing,
    'apgd-dlr': standing,
    'apgd-t': standing,
    'fab-t': standing,
    square: standing,
    'hop-skip-jump': standing,
    ...changes,
  };
  for (const name of suiteOrder) {
    if (isBrokenBy(sparedBy(name), outcomes)) outcomes[name] = null;
  }
  return outcomes;
};

/** Rows of a model that withstands everything, seen by a suite that does everything. */
function robustRows(n: number, change: (row: EvasionRow, i: number) => Partial<EvasionRow> = () => ({})) {
  return clean(n, () => true).map((row, i): EvasionRow => {
    const whole: EvasionRow = {
      ...row,
      attacks: attacked(),
      repeatable: true,
      unbounded: i < controlLimits.unboundedSamples ? true : null,
      longer: false,
      rescaled: false,
      lateRise: 0.001,
      planted: i < controlLimits.planted.samples ? { built: true, found: true, foundAtRandom: false } : null,
      gradient:
        i < controlLimits.gradientSamples ? { cosine: 0.9999, ballCosine: 0.95, unaccounted: 0.01 } : null,
      certified: null,
      logitsDifference: 1e-7,
    };
    return { ...whole, ...change(whole, i) };
  });
}

describe('the evasion gate', () => {
  it('passes what no attack breaks, when every control holds', () => {
    expect(decide(evasion, robustRows(400))).toMatchObject({
      status: 'pass',
      metric: 'robust accuracy',
      estimate: 1,
      reasons: [
        expect.stringMatching(/^Robust accuracy 1\.0000, 95 % interval \[0\.9908, 1\.0000\] of 400 samples/),
      ],
    });
  });

  it('counts a sample as robust only when it is right and no attack breaks it', () => {
    const decision = decide(
      evasion,
      robustRows(400, (row, i) => {
        if (i >= 300) return { attacks: attacked({ fgsm: fallen, pgd: fallen }), unbounded: null };
        if (i >= 200) return { attacks: attacked({ pgd: fallen }), unbounded: null };
        if (i >= 100) return { predicted: 1, correct: false, attacks: null, unbounded: null };
        return row;
      }),
    );
    expect(decision).toMatchObject({
      status: 'fail',
      estimate: 0.25,
      figures: {
        'clean accuracy': 0.75,
        'robust accuracy against fgsm': 0.5,
        'robust accuracy against pgd': 0.25,
      },
    });
  });

  it('says of each attack on survivors what was left after it', () => {
    const falls = (['apgd-ce', 'apgd-dlr', 'square'] as const).map((name) => attacked({ [name]: fallen }));
    const decision = decide(
      evasion,
      robustRows(400, (row, i) => ({ attacks: falls[Math.floor(i / 100)] ?? row.attacks, unbounded: null })),
    );
    expect(decision.estimate).toBe(0.25);
    expect(decision.figures).toMatchObject({
      'robust accuracy against pgd': 1,
      'robust accuracy after apgd-ce': 0.75,
      'robust accuracy after apgd-dlr': 0.5,
      'robust accuracy after square': 0.25,
    });
  });

  it.each<[string, Partial<Outcomes>]>([
    ['leaves out Square where nothing broke the sample', { square: null }],
    ['goes on after the sample was broken', { pgd: fallen, square: standing }],
  ])('refuses evidence of a suite that %s', (_what, change) => {
    const forged = robustRows(1, ({ attacks }) => ({ attacks: { ...attacks!, ...change } }));
    expect(() => decide(evasion, forged)).toThrow(/each later attack on every survivor/);
  });

  it.each<[string, string, RegExp, (row: EvasionRow, i: number) => Partial<EvasionRow>]>([
    [
      'most gradients are zero',
      'fail',
      /^Gradient masking: the gradient is zero at 32 of 32/,
      (row) => ({ gradient: row.gradient && { ...row.gradient, cosine: null, ballCosine: null } }),
    ],
    [
      'logits jump where gradients do not see it',
      'inconclusive',
      /^On the way .* but for 20 % at 28 of 32 samples, expected 90 %/,
      (row, i) => ({ gradient: row.gradient && { ...row.gradient, unaccounted: i < 4 ? 0.3 : 0.2 } }),
    ],
    [
      'gradients disagree with finite differences',
      'inconclusive',
      /^Gradients agree .* at 26 of 32 samples, expected 90 %/,
      (row, i) => ({ gradient: row.gradient && { ...row.gradient, cosine: i < 6 ? 0.98 : 1 } }),
    ],
    [
      'gradients lead nowhere inside the ball',
      'inconclusive',
      /^Gradients agree .* over steps of the radius .* at 22 of 32 samples, expected 75 %/,
      (row, i) => ({ gradient: row.gradient && { ...row.gradient, ballCosine: i < 10 ? 0.6 : 1 } }),
    ],
    [
      'gradients were not checked',
      'inconclusive',
      /^The gradient check was run on 0 samples, expected 32/,
      () => ({ gradient: null }),
    ],
    [
      'the attacked graph is not the served model',
      'inconclusive',
      /^The logits of the attacked graph differ/,
      (_row, i) => ({ logitsDifference: i === 7 ? 2e-4 : 0 }),
    ],
    [
      'a sample is broken in a ball that bounds certify',
      'fail',
      /^Bounds certify 1 of 1 samples that attacks broke: .* wrong/,
      (_row, i) => (i === 399 ? { attacks: attacked({ pgd: fallen }), certified: true } : {}),
    ],
    [
      'the graph was not compared with the served model',
      'inconclusive',
      /^The comparison of logits was run on 399 samples, expected 400/,
      (_row, i) => (i === 7 ? { logitsDifference: null } : {}),
    ],
    [
      'claims are not confirmed',
      'inconclusive',
      /^The serving session does not confirm 2 adversarial examples/,
      (_row, i) => (i < 2 ? { attacks: attacked({ pgd: { ...standing, claimed: true } }) } : {}),
    ],
    [
      'one step breaks a little more than many',
      'inconclusive',
      /^One step \(FGSM\) breaks 2 of 400/,
      (_row, i) => (i >= 398 ? { attacks: attacked({ fgsm: fallen }) } : {}),
    ],
    [
      'one step breaks much more than many',
      'fail',
      /^Gradient masking: One step \(FGSM\) breaks 10 of 400/,
      (_row, i) => (i >= 390 ? { attacks: attacked({ fgsm: fallen }) } : {}),
    ],
    [
      'one step breaks what only Auto-PGD breaks too, and more',
      'inconclusive',
      /^One step \(FGSM\) breaks 2 of 400/,
      (_row, i) => {
        if (i >= 398) return { attacks: attacked({ fgsm: fallen }) };
        return i >= 390 ? { attacks: attacked({ fgsm: fallen, 'apgd-ce': fallen }) } : {};
      },
    ],
    [
      'a black box breaks a little more than gradients',
      'inconclusive',
      /^A black box \(Square\) breaks 2 of 400/,
      (_row, i) => (i >= 398 ? { attacks: attacked({ square: fallen }) } : {}),
    ],
    [
      'a black box breaks much more than gradients',
      'fail',
      /^Gradient masking: A black box \(Square\) breaks 10 of 400/,
      (_row, i) => (i >= 390 ? { attacks: attacked({ square: fallen }) } : {}),
    ],
    [
      'a black box that sees classes alone breaks more than gradients',
      'fail',
      /^Gradient masking: A black box \(HopSkipJump\) breaks 10 of 400/,
      (_row, i) => (i >= 390 ? { attacks: attacked({ 'hop-skip-jump': fallen }) } : {}),
    ],
    [
      'samples were not attacked',
      'inconclusive',
      /^The suite of attacks was run on 399 samples, expected 400/,
      (_row, i) => (i === 399 ? { attacks: null } : {}),
    ],
    [
      'a survivor withstands an attack without a radius',
      'inconclusive',
      /^An attack without a radius leaves 1 of 100 survivors/,
      (row, i) => ({ unbounded: i === 5 ? false : row.unbounded }),
    ],
    [
      'no attack without a radius was made',
      'inconclusive',
      /^The attack without a radius was run on 0 samples, expected 100/,
      () => ({ unbounded: null }),
    ],
  ])('does not pass when %s', (_what, status, reason, change) => {
    const decision = decide({ ...evasion, minimum: 0.5 }, robustRows(400, change));
    expect(decision.status).toBe(status);
    expect(decision.reasons).toEqual([expect.stringContaining('at or above'), expect.stringMatching(reason)]);
  });

  it('takes one sample that only weaker attacks break, and weaknesses missed by chance, for no alarm', () => {
    const rows = (missed: number) =>
      robustRows(400, (row, i) => ({
        ...(i === 398 && { attacks: attacked({ fgsm: fallen }) }),
        ...(i === 399 && { attacks: attacked({ square: fallen }) }),
        planted: row.planted && { ...row.planted, found: i >= missed },
      }));
    expect(decide(evasion, rows(4))).toMatchObject({ status: 'pass', estimate: 398 / 400 });
    // Of 32 at 95 %, 27 or fewer are found with a chance of 2 % (binomial).
    expect(decide(evasion, rows(5)).reasons[1]).toMatch(/finds 27 of 32 planted adversarial examples/);
  });

  it.each(['longer', 'rescaled'] as const)('counts what breaks in the control “%s” as broken', (column) => {
    const decision = decide(
      { ...evasion, minimum: 0.5 },
      robustRows(400, (_row, i) => ({ [column]: i < 2 })),
    );
    // Two of 400 are within the control's limit, and still no survivors.
    expect(decision).toMatchObject({ status: 'pass', estimate: 398 / 400 });
  });

  describe('of a randomised model', () => {
    const randomised = { ...evasion, minimum: 0.5, randomised: { draws: 16, answers: 21 } };
    const rows = (change: (i: number) => Partial<EvasionRow>) =>
      robustRows(400, (row, i) => ({
        attacks: Object.fromEntries(
          Object.entries(row.attacks!).map(([name, outcome]) => [name, { ...outcome, wrong: 2 }]),
        ) as Outcomes,
        repeatable: false,
        lateRise: 1,
        logitsDifference: null,
        answers: { first: 17 + (i % 3), again: 19 - (i % 3), attacked: 18 },
        ...change(i),
      }));
    const nearly = { ...fallen, claimed: false, wrong: 11 };

    it('passes where most answers are right, drawn as often in every round, whatever single answers are', () => {
      expect(
        decide(
          randomised,
          rows(() => ({})),
        ).status,
      ).toBe('pass');
      const { randomised: _, ...single } = randomised;
      expect(
        decide(
          single,
          rows(() => ({})),
        ).reasons.join(),
      ).toMatch(/is randomised, and only an attack on the mean/);
    });

    it.each<[string, string, RegExp, (i: number) => Partial<EvasionRow>]>([
      [
        'the second round is right less often',
        'inconclusive',
        /^Asked the same a second time/,
        (i) => ({ answers: { first: 19, again: 18, attacked: 18 + (i % 2) } }),
      ],
      [
        'the attacked graph is right less often',
        'inconclusive',
        /^The attacked graph is right more or less often than the served model, beyond chance/,
        (i) => ({ answers: { first: 20, again: 20, attacked: i % 8 === 0 ? 12 : 20 } }),
      ],
      [
        'one step breaks surely what many do not',
        'fail',
        /^Gradient masking: One step/,
        (i) => (i >= 390 ? { attacks: attacked({ fgsm: { ...nearly, wrong: 20 } }) } : {}),
      ],
      [
        'most answers contradict what attacks claim',
        'inconclusive',
        /^The serving session does not confirm 2/,
        (i) => (i < 2 ? { attacks: attacked({ pgd: { ...standing, claimed: true, wrong: 3 } }) } : {}),
      ],
    ])('does not pass when %s', (_what, status, reason, change) => {
      const decision = decide(randomised, rows(change));
      expect(decision.status).toBe(status);
      expect(decision.reasons).toEqual([
        expect.stringContaining('at or above'),
        expect.stringMatching(reason),
      ]);
    });

    it('takes no luck of the draw for masking, and counts it against the model all the same', () => {
      const lucky = rows((i) => {
        if (i >= 390) return { attacks: attacked({ fgsm: nearly }) };
        return i >= 380 ? { attacks: attacked({ pgd: { ...standing, claimed: true, wrong: 10 } }) } : {};
      });
      expect(decide(randomised, lucky)).toMatchObject({ status: 'pass', estimate: 390 / 400 });
    });

    it('knows evidence that does not follow from its own answers', () => {
      const problems = (outcome: object, answers: object = {}) =>
        evasionGate.contradictions!(randomised, [
          {
            ...rows(() => ({}))[0]!,
            attacks: { pgd: { ...standing, wrong: 2, ...outcome } },
            ...answers,
          } as EvasionRow,
        ]);
      expect(problems({})).toEqual([]);
      expect(problems({ wrong: 10, broken: true, prediction: 1 })).toHaveLength(1);
      expect(problems({ wrong: 11, broken: true, prediction: 1 })).toEqual([]);
      expect(problems({ wrong: 22 })).toHaveLength(1);
      expect(problems({ wrong: undefined })).toHaveLength(1);
      expect(problems({}, { answers: { first: 22, again: 0, attacked: 0 } })).toHaveLength(1);
      expect(problems({}, { answers: undefined })).toHaveLength(1);
    });
  });

  it('lets no failed control soften a failure: what is broken is broken', () => {
    const rows = robustRows(400, () => ({
      attacks: attacked({ fgsm: fallen, pgd: fallen }),
      unbounded: null,
      gradient: null,
    }));
    expect(decide(evasion, rows).status).toBe('fail');
  });

  it('does not pass a model that it cannot differentiate, and still fails one that is wrong as it is', () => {
    const bare = (correct: boolean): readonly EvidenceRow[] =>
      clean(400, () => correct).map((row) => ({
        ...row,
        attacks: row.correct ? { square: standing, 'hop-skip-jump': standing } : null,
        repeatable: true,
        unbounded: null,
        longer: null,
        rescaled: null,
        lateRise: null,
        gradient: null,
        planted: null,
        certified: null,
        logitsDifference: 0,
      }));
    expect(decide(evasion, bare(true), 'operator Round has no gradient.')).toMatchObject({
      status: 'inconclusive',
      reasons: [
        expect.anything(),
        'The model cannot be attacked by gradient: operator Round has no gradient.',
      ],
    });
    expect(decide(evasion, bare(false), 'operator Round has no gradient.').status).toBe('fail');
  });
});

describe('the choice of samples', () => {
  const model = `sha256:${'1'.repeat(64)}` as const;
  const snapshot = `sha256:${'2'.repeat(64)}` as const;
  const key = runKey({ gate: evasion, model, snapshot });
  const ids = Array.from({ length: 500 }, (_, i) => `id-${i}`);
  const chosen = (from: readonly string[], count: number, under = key): readonly string[] =>
    chooseSamples(under, from, count).map((position) => from[position]!);

  it('does not depend on the order of the data, and a larger choice begins with the smaller', () => {
    expect(chosen([...ids].reverse(), 100)).toEqual(chosen(ids, 100));
    expect(chosen(ids, 200).slice(0, 100)).toEqual(chosen(ids, 100));
    expect(chosen(ids, 100)).not.toEqual(ids.slice(0, 100));
    expect(new Set(chosen(ids, 1000))).toEqual(new Set(ids));
  });

  it('changes with the model, the snapshot and the policy', () => {
    const keys = [
      key,
      runKey({ gate: evasion, model: snapshot, snapshot }),
      runKey({ gate: evasion, model, snapshot: model }),
      runKey({ gate: { ...evasion, epsilon: 0.2 }, model, snapshot }),
    ];
    expect(new Set(keys).size).toBe(4);
    expect(new Set(keys.map((one) => chosen(ids, 100, one).join())).size).toBe(4);
    expect(policyDigest(evasion)).not.toBe(policyDigest({ ...evasion, minimum: 0.1 }));
  });
});

describe('the extraction gate', () => {
  const [extraction] = gatesSchema.parse([{ gate: 'extraction', maximum: 0.8 }]) as [GateSpec];
  /** Four classes in turn; copies agree on every sample that is not a multiple of `miss`. */
  const stolen = (n: number, miss: number, missToldAll: number) =>
    Array.from({ length: n }, (_, i) => {
      const label = i % 4;
      const copy = (every: number) => (i % every === 0 ? (label + 1) % 4 : label);
      return {
        id: `${i}`,
        label,
        predicted: label,
        correct: true,
        confidence: 0.9,
        told: i % 2 === 0 ? 0.8 : 0,
        contradicted: false,
        copies: { knockoff: copy(miss), 'label-only': (label + 1) % 4 },
        copiesToldAll: { knockoff: copy(missToldAll), 'label-only': (label + 1) % 4 },
      };
    });

  it.each([
    ['pass', stolen(1000, 3, 10), 0.666],
    ['fail', stolen(1000, 10, 10), 0.9],
    ['inconclusive', stolen(100, 4, 10), 0.75],
  ])('holds the best copy against the maximum: %s', (status, rows, estimate) => {
    expect(decide(extraction, rows)).toMatchObject({ status, estimate, threshold: 0.8, bound: 'maximum' });
  });

  it('believes no thief who does no better when told everything than a constant answer', () => {
    const { status, reasons } = decide(extraction, stolen(1000, 1, 1));
    expect(status).toBe('inconclusive');
    expect(reasons[1]).toContain('too weak');
  });

  it('cannot pass where nothing could be stolen', () => {
    const bare = stolen(100, 2, 2).map((row) => ({ ...row, copies: {}, copiesToldAll: {} }));
    expect(decide(extraction, bare, 'nobody owns samples')).toMatchObject({ status: 'inconclusive' });
  });

  it('decides alike, to the last bit, in whatever order the samples come', () => {
    const rows = stolen(300, 3, 10).map((row, i) => ({ ...row, confidence: Math.abs(Math.sin(i)) }));
    const decided = decide(extraction, rows);
    for (const from of [50, 111, 222])
      expect(decide(extraction, [...rows.slice(from), ...rows.slice(0, from)])).toEqual(decided);
    expect(decide(extraction, rows.toReversed())).toEqual(decided);
  });

  it('says what the hardening costs honest clients', () => {
    expect(decide(extraction, stolen(1000, 3, 10)).figures).toMatchObject({
      'share of answers with probabilities': 0.5,
      'share of answers that probabilities contradict': 0,
      'calibration error': expect.closeTo(0.2, 9),
      'calibration error without hardening': expect.closeTo(0.1, 9),
    });
  });
});
