import { crown, interval, smoothing } from '../../../src/core/certification/index.js';
import type { SampleSet } from '../../../src/core/data/index.js';
import { type CertifiedRow, certifiedGate } from '../../../src/core/evaluation/certified-gate.js';
import {
  certifiedCurve,
  certifyFile,
  type FileCertification,
  openModelFile,
} from '../../../src/core/evaluation/index.js';
import { type CertifiedGateSpec, certifiedNorms, gatesSchema } from '../../../src/core/spec/index.js';
import { clouds, networkOnnx, SIZE, train } from './small-models.js';

const spec = (changes: object = {}): CertifiedGateSpec =>
  gatesSchema.parse([
    {
      gate: 'certified',
      method: 'smoothing',
      norm: 'l2',
      epsilon: 0.1,
      minimum: 0.5,
      samples: 30,
      smoothing: { sigma: 0.1, n: 300, n0: 20 },
      ...changes,
    },
  ])[0] as CertifiedGateSpec;
const set: SampleSet = {
  samples: clouds(60, 'test'),
  classes: [0, 1, 2],
  minimum: new Float32Array(SIZE),
  maximum: new Float32Array(SIZE).fill(1),
  shape: [SIZE],
  notes: [],
};

async function certify(changes: object = {}): Promise<FileCertification> {
  const model = await openModelFile(networkOnnx(train(clouds(300, 'train'), 15)));
  try {
    return await certifyFile({
      model,
      set,
      spec: spec(changes),
      seed: 0,
      data: `sha256:${'0'.repeat(64)}`,
    });
  } finally {
    await model.close();
  }
}

/** A row of class 0 whose certificate has this radius. */
const row = (id: string, predicted: number, radius: number): CertifiedRow => ({
  id,
  label: 0,
  predicted,
  correct: predicted === 0,
  radius,
  votes: { leader: 0, count: 0 },
});

describe('the certified gate', () => {
  it('counts what is right and certified to the radius, and nothing else', () => {
    const rows = [
      row('a', 0, 0.1),
      row('b', 0, 0.25),
      row('c', 0, 0.0999),
      row('wrong', 1, 0.5),
      row('abstains', -1, 0),
    ];
    const { estimate, status, figures, reasons } = certifiedGate.decide(spec(), { rows, classes: [0, 1] });
    expect(estimate).toBe(0.4);
    expect(status).toBe('inconclusive');
    expect(reasons[0]).toMatch(/^Certified accuracy 0\.4000, 95 % interval /);
    expect(figures).toEqual({
      epsilon: 0.1,
      sigma: 0.1,
      accuracy: 0.6,
      abstentions: 0.2,
      'certified accuracy at radius 0.05': 0.6,
      'certified accuracy at radius 0.1': 0.4,
      'certified accuracy at radius 0.15': 0.2,
      'certified accuracy at radius 0.2': 0.2,
      'certified accuracy at radius 0.25': 0.2,
    });
  });

  it('fails, and says why, where nothing could be certified', () => {
    const rows = Array.from({ length: 30 }, (_, i) => row(`${i}`, 0, 0));
    const decision = certifiedGate.decide(spec(), { rows, classes: [0, 1], obstacle: 'no bounds of Loop' });
    expect(decision.status).toBe('fail');
    expect(decision.reasons).toContain('Nothing could be certified: no bounds of Loop');
  });

  it('certifies any file of which it knows only the answers, and fewer samples at a longer radius', async () => {
    const { measurement, decision } = await certify();
    expect(decision).toMatchObject({ status: 'pass', n: 30 });
    const shares = certifiedCurve(spec(), measurement.rows).map(({ certified }) => certified.estimate);
    expect(shares.length).toBeGreaterThan(2);
    expect(shares).toEqual([...shares].sort((one, other) => other - one));
    expect(certifiedGate.contradictions?.(spec(), measurement.rows)).toEqual([]);
  });

  it('abstains more the stronger the noise, and counts abstentions as wrong', async () => {
    const { measurement, decision } = await certify({ smoothing: { sigma: 5, n: 300, n0: 20 } });
    const abstained = measurement.rows.filter(({ predicted }) => predicted === -1);
    expect(abstained.length).toBeGreaterThan(5);
    expect(abstained.every(({ correct, radius }) => !correct && radius === 0)).toBe(true);
    expect(decision.figures.abstentions).toBe(abstained.length / 30);
  });

  it.each([
    [{ norm: 'linf' }, 'expected l2 for the method smoothing, got linf'],
    [{ smoothing: undefined }, 'expected a smoothing block for the method smoothing'],
  ])('is not asked for what its method cannot do: %j', (changes, message) => {
    expect(() => spec(changes)).toThrow(message);
  });
});

describe('bounds', () => {
  const bounds = (method: string, changes: object = {}) =>
    certify({ method, norm: 'linf', epsilon: 0.01, smoothing: undefined, ...changes });

  it('certify the model itself, crown at least what intervals do, and less in a larger ball', async () => {
    const [interval, crown] = [await bounds('interval'), await bounds('crown')];
    const certified = ({ measurement }: FileCertification) =>
      measurement.rows.filter(({ radius }) => radius === 0.01).map(({ id }) => id);
    expect(certified(crown)).toEqual(expect.arrayContaining(certified(interval)));
    expect(crown.decision.estimate).toBeGreaterThan(0.5);
    expect(crown.measurement.rows.every(({ votes }) => votes === null)).toBe(true);
    expect((await bounds('crown', { epsilon: 0.3 })).decision.estimate).toBe(0);
  });

  it.each<[string, object]>([
    ['radius that was not asked for', { radius: 0.02 }],
    ['votes', { votes: { leader: 0, count: 300 } }],
  ])('have no %s', (_, changes) => {
    const asked = spec({ method: 'crown', norm: 'linf', epsilon: 0.01, smoothing: undefined });
    const honest = { ...row('a', 0, 0.01), votes: null };
    expect(certifiedGate.contradictions?.(asked, [honest])).toEqual([]);
    expect(certifiedGate.contradictions?.(asked, [{ ...honest, ...changes }])).toHaveLength(1);
  });

  it('in norms that the methods name themselves', () => {
    expect(certifiedNorms).toEqual(
      Object.fromEntries([smoothing, interval, crown].map(({ name, norms }) => [name, norms])),
    );
  });
});
