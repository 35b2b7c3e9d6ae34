import { openClassifier } from '../../../src/core/attacks/index.js';
import { certifyBroken } from '../../../src/core/evaluation/certify-broken.js';
import { controlLimits } from '../../../src/core/evaluation/controls/limits.js';
import { evasionGate } from '../../../src/core/evaluation/evasion-gate.js';
import { type EvasionRow, isRobust } from '../../../src/core/evaluation/evasion-row.js';
import type { Decision, GateSubject, Measurement } from '../../../src/core/evaluation/index.js';
import { openServedModel } from '../../../src/core/evaluation/served-model.js';
import { type EvasionGateSpec, gatesSchema } from '../../../src/core/spec/index.js';
import {
  brokenDefences,
  CLASSES,
  clouds,
  networkOnnx,
  plantedWeakness,
  SIZE,
  train,
} from './small-models.js';

const network = train(clouds(300, 'train'), 30);
const samples = clouds(100, 'test');
const evasion = gatesSchema.parse([
  {
    gate: 'evasion',
    norm: 'linf',
    epsilon: 0.03,
    minimum: 0.8,
    pgd: { steps: 10, restarts: 1 },
    apgd: { steps: 15 },
    fab: { steps: 5 },
    square: { queries: 20 },
    hopSkipJump: { queries: 20 },
  },
])[0] as EvasionGateSpec;

interface Evaluation extends Measurement<EvasionRow> {
  readonly decision: Decision;
}

/** @param attackedOnnx - what the attacker holds, where that is not what is served */
async function evaluate(onnx: Uint8Array, spec = evasion, attackedOnnx = onnx): Promise<Evaluation> {
  const card = {
    input: { name: 'x', shape: [SIZE] },
    output: { name: 'logits', classes: ['a', 'b', 'c'] },
  };
  const served = await openServedModel(onnx, card);
  try {
    const range = { minimum: new Float32Array(SIZE), maximum: new Float32Array(SIZE).fill(1) };
    const subject: GateSubject = {
      samples,
      classes: CLASSES,
      ...range,
      seed: 5,
      serve: served.serve,
      openClassifier: (logitExponent) => openClassifier(attackedOnnx, [SIZE], logitExponent),
      certifiable: { onnx, shape: [SIZE], classes: CLASSES, ...range, logits: served.logits },
    };
    const measurement = await evasionGate.measure(spec, subject);
    return {
      ...measurement,
      decision: evasionGate.decide(spec, { ...measurement, classes: ['a', 'b', 'c'] }),
    };
  } finally {
    await served.close();
  }
}

/** A model that says the first class whatever it sees, with weights that leave no doubt. */
function constantModel(): GateSubject['certifiable'] {
  const nothing = (length: number): Float64Array => new Float64Array(length);
  return {
    onnx: networkOnnx({
      U: nothing(16 * SIZE),
      a: nothing(16),
      V: nothing(CLASSES * 16),
      b: Float64Array.of(1, 0, 0),
    }),
    shape: [SIZE],
    classes: CLASSES,
    minimum: new Float32Array(SIZE),
    maximum: new Float32Array(SIZE).fill(1),
    logits: async (_, n) => Float32Array.from({ length: n * CLASSES }, (_, i) => Number(i % CLASSES === 0)),
  };
}

describe('the evasion gate on real models', () => {
  let honest: Evaluation;
  beforeAll(async () => {
    honest = await evaluate(networkOnnx(network));
  });

  it('bounds the balls in which it broke samples, certifies none of them, and fails where one is certified', async () => {
    const wide = { ...evasion, epsilon: 0.15 };
    const onnx = networkOnnx(network);
    const { rows } = await evaluate(onnx, wide);
    const isBroken = (row: EvasionRow): boolean => row.correct && !isRobust(row);
    const tried = (row: EvasionRow, place: number): boolean =>
      isBroken(row) && place < controlLimits.certified.samples;
    expect(rows.filter(tried).length).toBeGreaterThan(5);
    expect(rows.map(({ certified }) => certified)).toEqual(
      rows.map((row, i) => (tried(row, i) ? false : null)),
    );

    const again = (certifiable: GateSubject['certifiable']) =>
      certifyBroken(
        { spec: wide, subject: { ...certifiable, samples, certifiable } as unknown as GateSubject },
        rows.map((row) => ({ ...row, certified: null })),
        0,
      );
    const contradicting = await again(constantModel());
    const { status, reasons } = evasionGate.decide(wide, { rows: contradicting, classes: ['a', 'b', 'c'] });
    expect(status).toBe('fail');
    expect(reasons.join()).toMatch(/Bounds certify \d+ of \d+ samples that attacks broke/);
    const unreadable = await again({ ...constantModel(), onnx: new Uint8Array([1]) });
    expect(unreadable.every(({ certified }) => certified === null)).toBe(true);
  });

  it('passes an honest model where it is robust, with every control held', () => {
    expect(honest.decision).toMatchObject({
      status: 'pass',
      reasons: [expect.stringContaining('at or above')],
    });
    expect(honest.rows.every((row) => evasionGate.rowSchema.safeParse(row).success)).toBe(true);
  });

  it('fails the same model where it is not', async () => {
    const { decision, rows } = await evaluate(networkOnnx(network), { ...evasion, epsilon: 0.3 });
    expect(decision.status).toBe('fail');
    expect(rows.every(({ attacks }) => !attacks?.pgd?.broken || attacks.pgd.distance <= 0.3)).toBe(true);
  });

  it('finds as much robustness however the logits are scaled', async () => {
    const spec = { ...evasion, epsilon: 0.1 };
    const estimates: number[] = [];
    for (const factor of [1, 1e-30, 0.01, 1e6]) {
      const scale = (weights: Float64Array): Float64Array => weights.map((weight) => weight * factor);
      const scaled = networkOnnx({ ...network, V: scale(network.V), b: scale(network.b) });
      estimates.push((await evaluate(scaled, spec)).decision.estimate);
    }
    expect(estimates[0]).toBeGreaterThan(0.2);
    expect(Math.max(...estimates) - Math.min(...estimates)).toBeLessThanOrEqual(0.01);
  });

  it('believes no adversarial example that the served model gets right', async () => {
    const twin = networkOnnx(network, plantedWeakness);
    const { decision, rows } = await evaluate(networkOnnx(network), evasion, twin);
    expect(rows.every(({ attacks }) => attacks?.pgd?.claimed && !attacks.pgd.broken)).toBe(true);
    expect(decision.status).toBe('inconclusive');
    expect(decision.reasons).toContainEqual(
      expect.stringMatching(/^The serving session does not confirm 100 /),
    );
  });

  it('breaks a twin with a planted weakness that answers all honest data alike', async () => {
    const { decision, rows } = await evaluate(networkOnnx(network, plantedWeakness));
    expect(rows.map(({ predicted }) => predicted)).toEqual(honest.rows.map(({ predicted }) => predicted));
    expect(decision.status).toBe('fail');
    expect(rows.filter(isRobust)).toEqual([]);
  });

  it.each([
    ['saturated', 'fail', /^Gradient masking: the gradient is zero at 32 of 32/],
    ['rounded', 'fail', /^Gradient masking: the gradient is zero at 32 of 32/],
    ['decoy', 'inconclusive', /^Gradients agree .* over steps of the radius .* at \d of 32/],
  ] as const)(
    'does not pass the broken defence “%s”, which no attack of the suite breaks',
    async (name, status, reason) => {
      const { decision } = await evaluate(networkOnnx(network, brokenDefences[name]));
      // By its attacks alone the gate would pass it: it takes the controls to see through it.
      expect(decision.interval[0]).toBeGreaterThan(evasion.minimum);
      expect(decision.reasons).toEqual(expect.arrayContaining([expect.stringMatching(reason)]));
      expect(decision.status).toBe(status);
    },
  );

  it('fails a model that only the black box breaks, though every control of its gradients holds', async () => {
    const spec: EvasionGateSpec = {
      ...evasion,
      epsilon: 0.1,
      minimum: 0.5,
      pgd: { steps: 20, restarts: 2 },
      apgd: { steps: 20, restarts: 1 },
      square: { queries: 150 },
    };
    const { decision, rows } = await evaluate(networkOnnx(network, brokenDefences.partlyRounded), spec);
    const blind = rows.map((row): EvasionRow => {
      const { attacks } = row;
      const planted = row.planted && { ...row.planted, found: true };
      const gradient = row.gradient && { ...row.gradient, unaccounted: 0 };
      return attacks?.square
        ? {
            ...row,
            gradient,
            planted,
            unbounded: true,
            longer: false,
            rescaled: false,
            lateRise: row.lateRise ?? 0,
            attacks: { ...attacks, square: { ...attacks.square, claimed: false, broken: false } },
          }
        : { ...row, gradient, planted };
    });
    const decide = (seen: readonly EvasionRow[]) =>
      evasionGate.decide(spec, { rows: seen, classes: ['a', 'b', 'c'] });
    expect(decide(blind).reasons).toEqual([expect.stringContaining('at or above')]);
    expect(decide(blind).status).toBe('pass');
    expect(decision.status).toBe('fail');
    expect(decision.reasons).toEqual([
      expect.any(String),
      expect.stringMatching(/^On the way to a random input, gradients account for/),
      expect.stringMatching(/^Gradient masking: A black box \(Square\) breaks \d\d of 100 samples/),
      expect.stringMatching(/^The strongest gradient attack finds \d+ of 32 planted adversarial examples/),
    ]);
  });

  it.each(Object.keys(brokenDefences) as (keyof typeof brokenDefences)[])(
    'does not pass “%s” at a radius where the model behind it is broken',
    async (name) => {
      const { decision } = await evaluate(networkOnnx(network, brokenDefences[name]), {
        ...evasion,
        epsilon: 0.3,
      });
      expect(decision.status).not.toBe('pass');
    },
  );
});
