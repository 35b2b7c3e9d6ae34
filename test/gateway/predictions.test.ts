import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { defaultLimits } from '../../src/gateway/gateway.js';
import { alice, bob, keyedClient, type RunningGateway, runGateway, sample } from './running-gateway.js';
import { type SignedChain, signedChain } from './signed-chain.js';

let chain: SignedChain;
let gateway: RunningGateway;
let clients: readonly unknown[] = [alice.client, bob.client];

beforeAll(async () => {
  chain = await signedChain();
  const model = await chain.model(1);
  await chain.point({ release: await chain.release(model, 7), revision: 7 });
  gateway = await runGateway(chain, {
    readClientsText: async () => JSON.stringify(clients),
    limits: { ...defaultLimits, bodyBytes: 4096, samples: 4 },
  });
});
afterAll(async () => {
  await gateway.drain();
  await chain.remove();
});

const authorized = (key: string) => ({ headers: { authorization: `Bearer ${key}` } });
const input = (change: object) => ({ inputs: [{ ...sample.inputs[0], ...change }] });

describe('a prediction', () => {
  it('comes from the real model, with its revision and digest and the id of the client', async () => {
    const answer = await gateway.infer({ ...sample, id: 'mine' });
    expect(answer.status).toBe(200);
    const other = Math.fround(1 / (2 + Math.exp(4)));
    expect(answer.body).toEqual({
      id: 'mine',
      model_name: 'samples',
      model_version: '7',
      parameters: { model: (await gateway.status()).live?.model },
      outputs: [
        { name: 'label', datatype: 'BYTES', shape: [1], data: ['one'] },
        {
          name: 'probabilities',
          datatype: 'FP32',
          shape: [1, 3],
          data: [other, Math.fround(Math.exp(4) / (2 + Math.exp(4))), other],
        },
      ],
    });
  });

  it('of a batch has a row a sample, and only the outputs that were asked for', async () => {
    const answer = await gateway.infer({
      ...input({
        shape: [3, 2],
        data: [
          [0, 0],
          [0, 1],
          [1, 1],
        ],
      }),
      outputs: [{ name: 'label' }],
    });
    expect(answer.body.outputs).toEqual([
      { name: 'label', datatype: 'BYTES', shape: [3], data: ['one', 'one', 'one'] },
    ]);
  });

  it('can be asked of the live revision by number, and of no other', async () => {
    expect((await gateway.infer(sample, '/v2/models/samples/versions/7/infer')).status).toBe(200);
    for (const version of ['6', '8', '07', '7.0', '__proto__']) {
      const answer = await gateway.infer(sample, `/v2/models/samples/versions/${version}/infer`);
      expect(answer).toMatchObject({ status: 404, body: { code: 'endpoint-unknown' } });
    }
  });
});

describe('what a client learns', () => {
  it('is what the server is and whether it lives, without a key', async () => {
    expect((await gateway.call('/v2')).body).toEqual({
      name: 'assay',
      version: '2',
      extensions: ['binary_tensor_data'],
    });
    expect((await gateway.call('/v2/health/live')).status).toBe(200);
    expect((await gateway.call('/v2/health/ready')).body).toEqual({ ready: true });
  });

  it("is a model's inputs and outputs, with a key", async () => {
    for (const path of ['/v2/models/samples', '/v2/models/samples/versions/7']) {
      expect((await gateway.call(path, authorized(alice.key))).body).toMatchObject({
        name: 'samples',
        versions: ['7'],
        inputs: [{ name: 'input', datatype: 'FP32', shape: [-1, 2] }],
        outputs: [
          { name: 'label', datatype: 'BYTES', shape: [-1] },
          { name: 'probabilities', datatype: 'FP32', shape: [-1, 3] },
        ],
      });
      expect((await gateway.call(`${path}/ready`, authorized(alice.key))).status).toBe(200);
    }
  });

  it('is nothing that a cache or a page may keep', async () => {
    for (const path of ['/v2', '/nowhere', '/v2/models/samples']) {
      const { headers } = await gateway.call(path);
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
      expect(headers.get('server')).toBeNull();
    }
  });
});

describe('a client without the right key', () => {
  const routes = [
    ['GET', '/v2/models/samples'],
    ['GET', '/v2/models/samples/ready'],
    ['GET', '/v2/models/samples/versions/7'],
    ['POST', '/v2/models/samples/infer'],
    ['POST', '/v2/models/samples/versions/7/infer'],
  ] as const;

  it.each(routes)('is turned away at %s %s', async (method, path) => {
    const headers = { 'content-type': 'application/json' };
    const init = { method, ...(method === 'POST' ? { body: JSON.stringify(sample) } : {}) };
    for (const authorization of [
      undefined,
      'Bearer',
      `Bearer assay_${'A'.repeat(43)}`,
      `Basic ${alice.key}`,
    ]) {
      const answer = await gateway.call(path, {
        ...init,
        headers: { ...headers, ...(authorization === undefined ? {} : { authorization }) },
      });
      expect(answer).toMatchObject({ status: 401, body: { code: 'unauthenticated' } });
      expect(answer.headers.get('www-authenticate')).toBe('Bearer');
    }
    const forbidden = await gateway.call(path, {
      ...init,
      headers: { ...headers, authorization: `Bearer ${bob.key}` },
    });
    expect(forbidden).toMatchObject({ status: 403, body: { code: 'forbidden' } });
  });

  it('does not learn which endpoints exist', async () => {
    const asked = await Promise.all(
      ['samples', 'nowhere', '__proto__'].map((name) =>
        gateway.call(`/v2/models/${name}`, authorized(bob.key)),
      ),
    );
    for (const answer of asked) expect(answer).toMatchObject({ status: 403, body: { code: 'forbidden' } });
    expect(await gateway.call('/v2/models/other', authorized(bob.key))).toMatchObject({ status: 404 });
  });

  it('is turned away before its body is read', async () => {
    const answer = await gateway.call('/v2/models/samples/infer', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: 'x'.repeat(100_000),
    });
    expect(answer.status).toBe(401);
  });

  it('is known as soon as the clients file says so, and a broken file changes nothing', async () => {
    const carol = keyedClient('carol', ['samples']);
    const asCarol = () => gateway.call('/v2/models/samples', authorized(carol.key));
    expect((await asCarol()).status).toBe(401);
    clients = [alice.client, bob.client, carol.client];
    await gateway.poll();
    expect((await asCarol()).status).toBe(200);
    clients = [{ name: 'broken' }];
    await gateway.poll();
    expect((await asCarol()).status).toBe(200);
    clients = [alice.client, bob.client];
    await gateway.poll();
    expect((await asCarol()).status).toBe(401);
  });
});

describe('a request that is wrong', () => {
  it.each<[string, number, string, unknown]>([
    ['cut JSON', 400, 'request-invalid', '{"inputs": ['],
    ['no body', 400, 'request-invalid', ''],
    ['NaN, which JSON does not have', 400, 'request-invalid', JSON.stringify(sample).replace('1]', 'NaN]')],
    [
      'a polluting key',
      400,
      'request-invalid',
      `{"__proto__": {"id": "x"}, ${JSON.stringify(sample).slice(1)}`,
    ],
    [
      'a polluting key inside',
      400,
      'request-invalid',
      `{"constructor": {"prototype": {"id": "x"}}, ${JSON.stringify(sample).slice(1)}`,
    ],
    ['nesting without end', 400, 'request-invalid', '['.repeat(2000) + ']'.repeat(2000)],
    ['a wrong shape', 400, 'request-invalid', input({ shape: [2, 1] })],
    ['a wrong number of values', 400, 'request-invalid', input({ data: [1] })],
    ['a wrong datatype', 400, 'request-invalid', input({ datatype: 'FP16' })],
    ['a shape that overflows', 400, 'request-invalid', input({ shape: [1e308, 2] })],
    ['an infinite value', 422, 'input-invalid', JSON.stringify(sample).replace('1]', '1e999]')],
    ['a value out of range', 422, 'input-invalid', input({ data: [0, 1.5] })],
    ['too many samples', 413, 'batch-too-large', input({ shape: [5, 2], data: Array(10).fill(0) })],
    ['a body over the limit', 413, 'body-too-large', input({ data: Array(5000).fill(0) })],
  ])('is refused for %s with %i', async (_name, status, code, body) => {
    const answer = await gateway.infer(body);
    expect(answer).toMatchObject({
      status,
      body: {
        error: expect.any(String),
        code,
        hint: expect.any(String),
        request: answer.headers.get('x-request-id'),
      },
    });
    expect(JSON.stringify(answer.body)).not.toMatch(/\bat .*\.[jt]s|node_modules/);
    expect((await gateway.infer()).status).toBe(200);
    expect(({} as { id?: unknown }).id).toBeUndefined();
  });

  it('is refused for a body that never says how long it is', async () => {
    const status = await new Promise((resolve, reject) => {
      const request = httpRequest(`${gateway.url}/v2/models/samples/infer`, {
        method: 'POST',
        headers: { authorization: `Bearer ${alice.key}`, 'content-type': 'application/json' },
      });
      request.on('response', (response) => resolve(response.resume().statusCode)).on('error', reject);
      request.write('['.repeat(3000));
      request.end('['.repeat(3000));
    });
    expect(status).toBe(413);
  });

  it('may come and be answered with binary tensors, which say the same', async () => {
    const [{ data, ...described }] = sample.inputs as [(typeof sample.inputs)[0]];
    const values = Buffer.from(Float32Array.from(data).buffer);
    const header = JSON.stringify({
      inputs: [{ ...described, parameters: { binary_data_size: values.length } }],
      outputs: [{ name: 'probabilities', parameters: { binary_data: true } }],
    });
    const ask = (
      headers: Readonly<Record<string, string>>,
      body = Buffer.concat([Buffer.from(header), values]),
    ) =>
      fetch(`${gateway.url}/v2/models/samples/infer`, {
        method: 'POST',
        headers: { authorization: `Bearer ${alice.key}`, ...headers },
        body: new Uint8Array(body),
      });
    const length = { 'inference-header-content-length': String(header.length) };
    const answer = await ask({ ...length, 'content-type': 'application/octet-stream' });
    expect(answer.headers.get('content-type')).toBe('application/octet-stream');
    const bytes = Buffer.from(await answer.arrayBuffer());
    const json = Number(answer.headers.get('inference-header-content-length'));
    const inJson = await gateway.infer();
    const expected = inJson.body.outputs.find(({ name }) => name === 'probabilities')!;
    expect(JSON.parse(bytes.subarray(0, json).toString())).toMatchObject({
      model_version: inJson.body.model_version,
      outputs: [
        {
          name: 'probabilities',
          shape: expected.shape,
          parameters: { binary_data_size: bytes.length - json },
        },
      ],
    });
    for (const [index, value] of expected.data.entries())
      expect(bytes.readFloatLE(json + 4 * index)).toBe(Math.fround(value as number));
    const wrong = { 'inference-header-content-length': '-1', 'content-type': 'application/octet-stream' };
    for (const [headers, status] of [
      [wrong, 400],
      [{ ...length, 'content-type': 'text/plain' }, 415],
    ] as const)
      expect((await ask(headers)).status).toBe(status);
    expect(
      (await ask({ ...length, 'content-type': 'application/octet-stream' }, Buffer.from('{'))).status,
    ).toBe(400);
  });

  it('is refused for anything else', async () => {
    for (const type of ['text/plain', 'application/octet-stream', 'multipart/form-data']) {
      const answer = await gateway.call('/v2/models/samples/infer', {
        method: 'POST',
        headers: { authorization: `Bearer ${alice.key}`, 'content-type': type },
        body: JSON.stringify(sample),
      });
      expect(answer).toMatchObject({ status: 415, body: { code: 'media-type-unsupported' } });
    }
  });

  it.each([
    ['GET', '/'],
    ['GET', '/v2/models/samples/infer'],
    ['DELETE', '/v2/models/samples'],
    ['GET', '/admin/endpoints'],
    ['GET', '/v2/models/samples/../../../etc/passwd'],
  ])('gets JSON for a route that is not there: %s %s', async (method, path) => {
    expect(await gateway.call(path, { method, ...authorized(alice.key) })).toMatchObject({
      status: 404,
      body: { code: 'route-unknown' },
    });
  });

  it('gets JSON for a URL that does not decode', async () => {
    expect(await gateway.call('/v2/models/%ff', authorized(alice.key))).toMatchObject({
      status: 400,
      body: { code: 'request-invalid' },
    });
  });

  it('is answered and forgotten when it is not HTTP at all', async () => {
    const { port } = new URL(gateway.url);
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect(Number(port), '127.0.0.1', () => socket.write('\u0000\u0001 nonsense\r\n\r\n'));
      let text = '';
      socket.on('data', (data) => {
        text += data.toString();
      });
      socket.on('close', () => resolve(text)).on('error', reject);
    });
    expect(answer).toMatch(/^HTTP\/1.1 400 /);
    expect((await gateway.infer()).status).toBe(200);
  });
});

describe('the log', () => {
  it('says who asked what and how it ended, and holds neither inputs nor keys', async () => {
    await gateway.infer(input({ data: [0.123456789, 1] }));
    await gateway.infer(input({ data: [0, 77.123456] }), '/v2/models/samples/infer?secret=hunter2');
    const log = gateway.log.join('');
    expect(log).toContain(
      '"client":"alice","method":"POST","route":"/v2/models/:name/infer","status":200,"revision":7',
    );
    expect(log).toContain('"code":"input-invalid"');
    for (const secret of ['0.123456789', '77.123456', 'hunter2', alice.key, bob.key]) {
      expect(log).not.toContain(secret);
    }
  });
});

describe('the admin server', () => {
  const get = (host: string) =>
    new Promise((resolve, reject) => {
      httpRequest(`${gateway.adminUrl}/admin/endpoints`, { headers: { host } })
        .on('response', (response) => resolve(response.resume().statusCode))
        .on('error', reject)
        .end();
    });

  it('answers to a loopback name only, so that no web page reads it under a name of its own', async () => {
    expect(await get('localhost:1')).toBe(200);
    expect(await get('127.0.0.1')).toBe(200);
    expect(await get('rebound.example')).toBe(403);
  });

  it('knows no endpoint that is not there', async () => {
    expect(await gateway.callAdmin('/admin/endpoints/nowhere')).toMatchObject({ status: 404 });
  });
});
