import SwaggerParser from '@apidevtools/swagger-parser';
import Ajv from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { openApiDocument } from '../../src/core/serving/index.js';
import { type ReleaseScene, releaseScene } from './release-scene.js';
import { alice, bob, type RunningGateway, sample } from './running-gateway.js';

/** By hand: `ASSAY_FUZZED_REQUESTS=100000 npx jest test/gateway/openapi.test.ts`. */
const requests = Number(process.env.ASSAY_FUZZED_REQUESTS ?? 2000);
const atOnce = 20;

interface Operation {
  readonly responses: Readonly<
    Record<string, { readonly content: Readonly<Record<string, { readonly schema: object }>> }>
  >;
}
type Paths = Readonly<Record<string, Readonly<Record<string, Operation>>>>;
const document = openApiDocument();
const operations = Object.entries(document.paths as unknown as Paths).flatMap(([path, { get, post }]) => [
  ...(get ? [{ path, method: 'GET', ...get }] : []),
  ...(post ? [{ path, method: 'POST', ...post }] : []),
]);

let scene: ReleaseScene;
let gateway: RunningGateway;
beforeAll(async () => {
  scene = await releaseScene();
  await scene.publish(1, 0);
  gateway = await scene.start();
});
afterAll(() => scene.end());

const ajv = new Ajv({ strict: false });
ajv.addSchema({ ...document, $id: 'document' });
/** Schemas of components, as they are referred to from outside the document. */
const validatorOf = (schema: object) =>
  ajv.compile(JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"document#/')) as object);
const validators = new Map(
  operations.flatMap(({ method, path, responses }) =>
    Object.entries(responses).map(([status, { content }]) => [
      `${method} ${path} ${status}`,
      validatorOf(content['application/json']!.schema),
    ]),
  ),
);

/** A value with one or several of its parts replaced, removed or repeated. */
function mutated(value: unknown): fc.Arbitrary<unknown> {
  const parts = paths(value);
  const change = fc.record({
    at: fc.constantFrom(...parts),
    to: fc.oneof(
      fc.jsonValue({ maxDepth: 3 }),
      fc.constantFrom(undefined, -1, 1e308, 2 ** 31, '', '__proto__', [], {}),
    ),
  });
  return fc
    .array(change, { maxLength: 3 })
    .map((changes) => changes.reduce<unknown>((changed, { at, to }) => replaced(changed, at, to), value));
}

function paths(
  value: unknown,
  here: readonly (string | number)[] = [],
): readonly (readonly (string | number)[])[] {
  if (typeof value !== 'object' || value === null) return [here];
  const entries = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return [here, ...entries.flatMap(([key, item]) => paths(item, [...here, key]))];
}

function replaced(value: unknown, [key, ...rest]: readonly (string | number)[], to: unknown): unknown {
  if (key === undefined) return to;
  if (Array.isArray(value))
    return value.map((item, index) => (index === key ? replaced(item, rest, to) : item));
  if (typeof value !== 'object' || value === null) return value;
  return { ...value, [key]: replaced((value as Record<string, unknown>)[key], rest, to) };
}

const valid = {
  id: 'an id',
  inputs: [{ ...sample.inputs[0], parameters: { content_type: 'np' } }],
  outputs: [{ name: 'label' }, { name: 'probabilities', parameters: { binary_data: false } }],
};
const bodies = fc.oneof(
  { weight: 6, arbitrary: mutated(valid).map((value) => JSON.stringify(value) ?? '') },
  { weight: 1, arbitrary: fc.json() },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 200 }) },
);
const names = fc.oneof(
  fc.constant('samples'),
  fc.constantFrom('other', '..', '%00', '%ff', '__proto__'),
  fc.string(),
);
const fuzzed = fc.record({
  operation: fc.constantFrom(...operations, ...operations.filter(({ method }) => method === 'POST')),
  name: names,
  version: fc.oneof(fc.constantFrom('1', '2', '01', '-1', '1e0'), fc.string()),
  key: fc.oneof(
    { weight: 6, arbitrary: fc.constant(alice.key) },
    fc.constantFrom(bob.key, 'assay_', 'a.b.c'),
  ),
  type: fc.oneof(
    { weight: 6, arbitrary: fc.constant('application/json') },
    fc.constant('application/octet-stream'),
  ),
  header: fc.oneof(fc.nat(300).map(String), fc.constantFrom('-1', '1e9', '99999999999', '')),
  body: bodies,
});
type Fuzzed = typeof fuzzed extends fc.Arbitrary<infer Value> ? Value : never;

const encoded = (text: string) => (/^%[0-9a-f]{2}$/.test(text) ? text : encodeURIComponent(text));

async function ask({ operation, name, version, key, type, header, body }: Fuzzed) {
  const { method, path } = operation;
  const url = `${gateway.url}${path.replace('{name}', encoded(name)).replace('{version}', encoded(version))}`;
  const response = await fetch(url, {
    method,
    headers: {
      authorization: `Bearer ${key}`,
      ...(method === 'POST' && { 'content-type': type }),
      ...(type === 'application/octet-stream' && { 'inference-header-content-length': header }),
    },
    ...(method === 'POST' && { body: new Uint8Array(Buffer.from(body)) }),
  });
  return {
    asked: `${method} ${path} ${response.status}`,
    status: response.status,
    text: await response.text(),
  };
}

describe('the OpenAPI document', () => {
  it('is one, and the gateway gives it to everyone', async () => {
    await expect(SwaggerParser.validate(structuredClone(document) as never)).resolves.toBeDefined();
    expect((await gateway.call('/v2/openapi.json')).body).toEqual(JSON.parse(JSON.stringify(document)));
  });

  it('describes every answer to whatever is sent, none of which is a fault of the gateway', async () => {
    const seen = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(fc.array(fuzzed, { minLength: atOnce, maxLength: atOnce }), async (batch) => {
        for (const { asked, status, text } of await Promise.all(batch.map(ask))) {
          seen.set(asked, (seen.get(asked) ?? 0) + 1);
          expect([asked, text, status < 500 || status === 503]).toEqual([asked, text, true]);
          // A name may be such that the request is for another route, or for none.
          const validate = validators.get(asked) ?? validators.get('POST /v2/models/{name}/infer 404')!;
          if (text.startsWith('{'))
            expect([asked, text, validate(JSON.parse(text))]).toEqual([asked, text, true]);
        }
      }),
      { numRuns: Math.ceil(requests / atOnce), seed: 1, endOnFailure: true },
    );
    const infer = [...seen.keys()].filter((asked) => asked.startsWith('POST /v2/models/{name}/infer'));
    const statuses = infer.map((asked) => asked.slice(-3));
    expect(statuses).toEqual(expect.arrayContaining(['200', '400', '401', '403', '404', '422']));
    if (requests > 2000) process.stdout.write(`${JSON.stringify(Object.fromEntries(seen), undefined, 1)}\n`);
    expect((await gateway.infer()).status).toBe(200);
  });
});
