import { servingSchema } from '../../src/core/spec/index.js';
import type { InferenceAnswer } from '../../src/gateway/answer-request.js';
import { type Answer, keyedClient, type RunningGateway, runGateway, sample } from './running-gateway.js';
import { type SignedChain, signedChain } from './signed-chain.js';

const serving = servingSchema.parse({
  scopes: {
    public: { reveals: { outputs: ['label'] } },
    partner: { reveals: { top: 1, decimals: 2 } },
    noisy: { reveals: { noise: 1, temperature: 3 } },
    metered: { budget: { perDay: 3, perMinute: 3 } },
  },
});
const client = (name: string, scope?: string) => keyedClient(name, '*', scope);
const clients = {
  anyone: client('anyone'),
  partner: client('partner', 'partner'),
  noisy: client('noisy', 'noisy'),
  metered: client('metered', 'metered'),
  stranger: client('stranger', 'staff'),
};

let chain: SignedChain;
let gateway: RunningGateway;

beforeAll(async () => {
  chain = await signedChain();
  const model = await chain.model(1);
  await chain.point({ release: await chain.release(model, 1, { serving }), revision: 1 });
  gateway = await start('a secret');
});
afterAll(async () => {
  await gateway.drain();
  await chain.remove();
});

const start = (noiseSecret: string) =>
  runGateway(chain, {
    noiseSecret,
    readClientsText: async () => JSON.stringify(Object.values(clients).map(({ client }) => client)),
  });
const headers = (who: keyof typeof clients) => ({
  authorization: `Bearer ${clients[who].key}`,
  'content-type': 'application/json',
});
const ask = (who: keyof typeof clients, body: unknown = sample, from = gateway) =>
  from.call('/v2/models/samples/infer', {
    method: 'POST',
    headers: headers(who),
    body: typeof body === 'string' ? body : JSON.stringify(body),
  }) as Promise<Answer<InferenceAnswer>>;
const describedTo = (who: keyof typeof clients) =>
  gateway.call('/v2/models/samples', { headers: headers(who) });

describe('a release that says what it reveals to whom', () => {
  it('tells clients of no scope what it tells the public', async () => {
    const { body } = await ask('anyone');
    expect(body.outputs).toEqual([{ name: 'label', datatype: 'BYTES', shape: [1], data: ['one'] }]);
    expect(await ask('anyone', { ...sample, outputs: [{ name: 'probabilities' }] })).toMatchObject({
      status: 400,
      body: { code: 'request-invalid' },
    });
    expect((await describedTo('anyone')).body).toMatchObject({ outputs: [{ name: 'label' }] });
  });

  it('holds back from others what their scope says, and tells them so', async () => {
    const { body } = await ask('partner');
    expect(body.outputs[1]?.data).toEqual([0, 0.96, 0]);
    expect((await describedTo('partner')).body).toMatchObject({
      outputs: [{ name: 'label' }, { name: 'probabilities' }],
      parameters: { probabilities_top: 1, probabilities_decimals: 2 },
    });
  });

  it('answers so many samples a client, by all gateways together, and says when to come again', async () => {
    const other = await start('a secret');
    try {
      const [input] = sample.inputs;
      const two = { inputs: [{ ...input, shape: [2, 2], data: [0, 1, 1, 0] }] };
      expect((await describedTo('metered')).body).toMatchObject({ parameters: { budget_per_day: 3 } });
      expect((await ask('metered', two)).status).toBe(200);
      // What is refused costs nothing: one sample is left, for whichever gateway is asked.
      const refused = await ask('metered', two, other);
      expect(refused).toMatchObject({ status: 429, body: { code: 'budget-spent' } });
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
      expect((await ask('metered', sample, other)).status).toBe(200);
      expect((await ask('metered', sample, other)).status).toBe(429);
      expect((await ask('anyone')).status).toBe(200);
    } finally {
      await other.drain();
    }
  });

  it('turns away clients of a scope that it does not know', async () => {
    expect(await ask('stranger')).toMatchObject({ status: 403, body: { code: 'forbidden' } });
    expect(await describedTo('stranger')).toMatchObject({ status: 403 });
  });

  it('adds noise that asking again, in a batch or with −0 does not average out, and that no client knows', async () => {
    const told = async (body?: unknown, from?: RunningGateway) =>
      (await ask('noisy', body, from)).body.outputs[1]!.data.slice(0, 3);
    const [input] = sample.inputs;
    const first = await told();
    expect(await told()).toEqual(first);
    expect(await told({ inputs: [{ ...input, shape: [2, 2], data: [0, 1, 1, 0] }] })).toEqual(first);
    expect(await told(JSON.stringify(sample).replace('[0,1]', '[-0.0,1]'))).toEqual(first);
    expect(await told({ inputs: [{ ...input, data: [0.01, 1] }] })).not.toEqual(first);
    const other = await start('another secret');
    try {
      expect(await told(undefined, other)).not.toEqual(first);
    } finally {
      await other.drain();
    }
  });
});
