import { randomStream } from '../../src/core/random/index.js';
import { servingSchema } from '../../src/core/spec/index.js';
import type { InferenceAnswer } from '../../src/gateway/answer-request.js';
import { type Answer, keyedClient, type RunningGateway, runGateway } from './running-gateway.js';
import { classes, type SignedChain, signedChain } from './signed-chain.js';

const serving = servingSchema.parse({
  scopes: {
    public: { watch: { action: 'block' } },
    partner: { watch: { action: 'withhold' } },
  },
});
const clients = {
  honest: keyedClient('honest', '*'),
  attacker: keyedClient('attacker', '*'),
  partner: keyedClient('partner', '*', 'partner'),
};
const draws = randomStream(1, 'rows');
const rows = Array.from(
  { length: 2000 },
  (_, i) => `${i},${draws.uniform()},${draws.uniform()},${classes[i % 3]}`,
);

let chain: SignedChain;
let gateway: RunningGateway;
beforeAll(async () => {
  chain = await signedChain(rows);
  const release = await chain.release(await chain.model(1), 1, { serving });
  await chain.point({ release, revision: 1 });
  gateway = await runGateway(chain, {
    readClientsText: async () => JSON.stringify(Object.values(clients).map(({ client }) => client)),
  });
});
afterAll(async () => {
  await gateway.drain();
  await chain.remove();
});

async function ask(who: keyof typeof clients, ...points: readonly (readonly [number, number])[]) {
  const data = points.flat();
  const inputs = [{ name: 'input', datatype: 'FP32', shape: [points.length, 2], data }];
  const answer = await gateway.call('/v2/models/samples/infer', {
    method: 'POST',
    headers: { authorization: `Bearer ${clients[who].key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ inputs }),
  });
  return answer as Answer<InferenceAnswer>;
}
/** Steps so small that no honest client makes many of them. */
const steps = (n: number) => Array.from({ length: n }, (_, i) => [0.5, 0.5 + i * 1e-5] as const);

describe('a gateway that watches its clients', () => {
  it('answers an honest one all day', async () => {
    const asked = randomStream(2, 'asked');
    for (let request = 0; request < 10; request++) {
      const points = Array.from({ length: 20 }, () => [asked.uniform(), asked.uniform()] as const);
      expect((await ask('honest', ...points)).status).toBe(200);
    }
    expect((await gateway.status()).alarms).toEqual([]);
  });

  it('blocks one that goes in small steps, says so to the operator, and forgets the next day', async () => {
    expect((await ask('attacker', ...steps(40))).status).toBe(200);
    expect(await ask('attacker', [0.1, 0.1])).toMatchObject({
      status: 403,
      body: { code: 'client-blocked' },
    });
    expect((await ask('honest', [0.1, 0.1])).status).toBe(200);
    const { alarms } = await gateway.status();
    expect(alarms).toContainEqual(
      expect.objectContaining({ client: 'attacker', sign: 'near-duplicates', endpoint: 'samples' }),
    );
    gateway.advance(86_400_000);
    expect((await ask('attacker', [0.1, 0.1])).status).toBe(200);
  });

  it('answers one with labels alone where the release says so', async () => {
    const before = await ask('partner', ...steps(40));
    expect(before.body.outputs[1]!.data[1]).toBeGreaterThan(0.9);
    const { outputs } = (await ask('partner', [0.1, 0.1])).body;
    expect(outputs.map(({ data }) => data)).toEqual([['one'], [0, 0, 0]]);
  });

  it('sees an attack that is split among clients, and cannot tell whose it is', async () => {
    gateway.advance(86_400_000);
    for (const [index, point] of steps(6).entries()) await ask(index % 2 === 0 ? 'honest' : 'partner', point);
    const [alarm, earlier] = (await gateway.status()).alarms;
    expect(alarm).toMatchObject({ client: null, sign: 'near-duplicates' });
    expect(earlier!.at).not.toEqual(alarm!.at);
  });

  it('serves no release whose honest requests it cannot know', async () => {
    const bare = await signedChain();
    const release = await bare.release(await bare.model(1), 1, { serving });
    await bare.point({ release, revision: 1 });
    const other = await runGateway(bare);
    try {
      expect(await other.status()).toMatchObject({
        live: null,
        lastRefusal: { failures: [{ code: 'blob-missing' }] },
      });
    } finally {
      await other.drain();
      await bare.remove();
    }
  });
});
