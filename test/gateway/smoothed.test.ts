import { defaultLimits } from '../../src/gateway/gateway.js';
import { alice, type RunningGateway, runGateway } from './running-gateway.js';
import { type SignedChain, signedChain } from './signed-chain.js';

const smoothing = { sigma: 0.2, samples: 200, alpha: 0.001 };
let chain: SignedChain;
let gateway: RunningGateway;

beforeAll(async () => {
  chain = await signedChain();
  const model = await chain.smoothedModel(smoothing);
  await chain.point({ release: await chain.release(model, 1), revision: 1 });
  gateway = await runGateway(chain, { limits: { ...defaultLimits, noisyCopies: 700 } });
});
afterAll(async () => {
  await gateway.drain();
  await chain.remove();
});

const ask = (...xs: readonly number[]) => ({
  inputs: [{ name: 'input', datatype: 'FP32', shape: [xs.length, 2], data: xs.flatMap((x) => [x, 0]) }],
});

describe('an endpoint that is served smoothed', () => {
  it('answers by a vote under noise, and abstains where the vote is not clear', async () => {
    const { status, body } = await gateway.infer(ask(0.75, 0.5, 0));
    expect(status).toBe(200);
    const [label, probabilities, abstained] = body.outputs;
    expect(label).toEqual({ name: 'label', datatype: 'BYTES', shape: [3], data: ['zero', '', 'one'] });
    expect(abstained).toEqual({
      name: 'abstained',
      datatype: 'BOOL',
      shape: [3],
      data: [false, true, false],
    });
    const shares = probabilities!.data as readonly number[];
    // The noise takes 0.75 below a half in 10.6 % of draws: the model itself would be sure.
    expect(shares[0]).toBeGreaterThan(0.8);
    expect(shares[0]).toBeLessThan(0.97);
    expect(shares[0]! + shares[1]!).toBeCloseTo(1, 6);
    // Whoever does not look whether it abstained finds no class to take for an answer.
    expect(shares.slice(3, 6)).toEqual([0, 0, 0]);
  });

  it('answers the same again, alone or among others, and otherwise where the secret is another', async () => {
    const sharesOf = async (from: RunningGateway, ...xs: readonly number[]) =>
      (await from.infer(ask(...xs))).body.outputs[1]!.data.slice(0, 3);
    const first = await sharesOf(gateway, 0.7, 0.1);
    expect(await sharesOf(gateway, 0.7)).toEqual(first);
    expect(await sharesOf(gateway, 0.7)).toEqual(first);
    const other = await runGateway(chain, { noiseSecret: 'another secret' });
    try {
      expect(await sharesOf(other, 0.7)).not.toEqual(first);
    } finally {
      await other.drain();
    }
  });

  it('says so to its clients, with how it votes and what an abstention looks like', async () => {
    const { body } = await gateway.call('/v2/models/samples', {
      headers: { authorization: `Bearer ${alice.key}` },
    });
    expect(body).toMatchObject({
      outputs: [
        { name: 'label' },
        { name: 'probabilities' },
        { name: 'abstained', datatype: 'BOOL', shape: [-1] },
      ],
      parameters: {
        smoothing_sigma: 0.2,
        smoothing_samples: 200,
        smoothing_alpha: 0.001,
        abstention_label: '',
      },
    });
  });

  it('refuses more samples than its noisy copies allow, and gives only the outputs asked for', async () => {
    expect(await gateway.infer(ask(0, 0, 0, 0))).toMatchObject({
      status: 413,
      body: { code: 'batch-too-large' },
    });
    const { body } = await gateway.infer({ ...ask(0.5), outputs: [{ name: 'abstained' }] });
    expect(body.outputs).toEqual([{ name: 'abstained', datatype: 'BOOL', shape: [1], data: [true] }]);
  });
});
