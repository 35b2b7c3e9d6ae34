import { readFileSync } from 'node:fs';
import { insideThreatModel } from '../../../src/core/attacks/index.js';
import { ballOf } from '../../../src/core/evaluation/attack-bench.js';
import { evasionGate } from '../../../src/core/evaluation/evasion-gate.js';
import type { AdversarialExample } from '../../../src/core/evaluation/index.js';
import { fileSubject } from '../../../src/core/evaluation/standalone/file-subject.js';
import { type ModelFile, openModelFile } from '../../../src/core/evaluation/standalone/model-file.js';
import { type EvasionGateSpec, gatesSchema } from '../../../src/core/spec/index.js';
import { digestOf } from '../../../src/core/store/index.js';
import { readDigits, SHAPE, SIZE, take } from './zoo/digits.js';
import { validRange } from './zoo/gate.js';

const N = 16;
const samples = take(readDigits().test, N);
const [spec] = gatesSchema.parse([
  {
    gate: 'evasion',
    norm: 'linf',
    epsilon: 1,
    minimum: 0,
    patch: { height: 1, width: 2, steps: 12, locations: 3, queries: 40 },
  },
]) as [EvasionGateSpec];

let model: ModelFile;
beforeAll(async () => {
  model = await openModelFile(readFileSync('test/core/attacks/fixtures/digits-cnn.onnx'));
});
afterAll(() => model.close());

async function subjectOf() {
  const classes = Array.from({ length: 10 }, (_, i) => i);
  const set = { samples, classes, ...validRange(), shape: SHAPE, notes: [] };
  return (await fileSubject({ model, set, seed: 1, data: digestOf('digits') }, N)).subject;
}

describe('the evasion gate of an adversary who covers a patch', () => {
  it('runs the attacks that keep to it, and confirms nothing that lies outside', async () => {
    const subject = await subjectOf();
    const examples: AdversarialExample[] = [];
    const { rows } = await evasionGate.measure(spec, { ...subject, onBroken: (one) => examples.push(one) });
    const ran = new Set(rows.flatMap(({ attacks }) => Object.keys(attacks ?? {})));
    expect(ran).toEqual(new Set(['sticker', 'patch', 'patch-search']));
    const threat = ballOf(subject, spec);
    const inside = examples.filter(({ attack }) => attack !== 'unbounded');
    expect(inside.length).toBeGreaterThan(N / 4);
    for (const { id, adversarial } of inside) {
      const at = subject.samples.ids.indexOf(id);
      const original = subject.samples.inputs.subarray(at * SIZE, (at + 1) * SIZE);
      expect(insideThreatModel(original, adversarial, threat)).toBe(true);
    }
    const { figures, reasons } = evasionGate.decide(spec, { rows, classes: [] });
    // Every control was run that makes sense of a patch.
    expect(reasons.join()).not.toMatch(/was run on/);
    expect(figures['share of held-out samples that one sticker breaks']).toBeLessThan(
      1 - figures['robust accuracy after patch']!,
    );
    // The first half of the draw is what the sticker was learned from.
    expect(rows.map(({ attacks }) => attacks?.sticker?.heldOut)).toEqual(
      rows.map(({ correct }, i) => (correct ? i >= N / 2 : undefined)),
    );
  });

  it('learns the same sticker in every shard, and so measures the same', async () => {
    const quick = { ...spec, attacks: [{ attack: 'sticker', steps: 8, locations: 2 }] } as EvasionGateSpec;
    const subject = await subjectOf();
    const stickers = async (from: number, to: number) => {
      const { rows } = await evasionGate.measure(quick, subject, { from, to });
      return rows.map(({ id, attacks }) => ({ id, sticker: attacks?.sticker }));
    };
    const whole = await stickers(0, N);
    expect([...(await stickers(0, 7)), ...(await stickers(7, 12))]).toEqual(whole.slice(0, 12));
  });

  it('refuses samples that are no pictures, and patches larger than they are', async () => {
    const refusal = expect.objectContaining({ code: 'usage' });
    const { certifiable, ...subject } = await subjectOf();
    const ball = (shape: readonly number[], width: number) => () =>
      ballOf(
        { ...subject, certifiable: { ...certifiable, shape } },
        { ...spec, patch: { ...spec.patch!, width } },
      );
    expect(ball(SHAPE, 8)).not.toThrow();
    for (const impossible of [ball(SHAPE, 9), ball([SIZE], 2)]) expect(impossible).toThrow(refusal);
  });

  it.each([
    ['another norm', { norm: 'l2' }],
    ['an adversary who respects types', { respects: ['types'] }],
    ['attacks that do not keep to it', { attacks: [{ attack: 'pgd' }] }],
    ['patches without one', { patch: undefined, attacks: [{ attack: 'patch' }] }],
  ])('does not go with %s', (_, changes) => {
    expect(gatesSchema.safeParse([{ ...spec, ...changes }]).success).toBe(false);
  });
});
