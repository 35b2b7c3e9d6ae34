import { randomBytes } from 'node:crypto';
import pino from 'pino';
import { openSession } from '../../src/core/onnx/index.js';
import { type ApiClient, generateApiKey } from '../../src/core/serving/index.js';
import { verifyRelease } from '../../src/core/trust/index.js';
import type { EndpointStatus } from '../../src/gateway/admin-routes.js';
import type { InferenceAnswer } from '../../src/gateway/answer-request.js';
import { buildGateway, defaultLimits, type GatewayParts } from '../../src/gateway/gateway.js';
import { marksInMemory } from '../../src/gateway/revision-marks.js';
import type { SignedChain } from './signed-chain.js';

const now = new Date('2026-01-01T00:00:00Z');
/** A client with a key. */
export function keyedClient(name: string, endpoints: ApiClient['endpoints'], scope?: string) {
  const { key, record } = generateApiKey(now, randomBytes);
  const client: ApiClient = {
    name,
    keys: [record],
    certificates: [],
    subjects: [],
    endpoints,
    ...(scope && { scope }),
  };
  return { key, client };
}
export const alice = keyedClient('alice', '*');
export const bob = keyedClient('bob', ['other']);

/** Answers of a gateway that tests look into. */
export interface Answer<Body = unknown> {
  readonly status: number;
  readonly headers: Headers;
  /** The parsed JSON, taken for what a success would be. */
  readonly body: Body;
}

/** A gateway that listens on loopback, its clock in the test's hand. */
export interface RunningGateway {
  readonly url: string;
  readonly adminUrl: string;
  /** One JSON value a line. */
  readonly log: readonly string[];
  readonly advance: (ms: number) => void;
  readonly poll: () => Promise<void>;
  readonly call: (path: string, init?: RequestInit) => Promise<Answer>;
  /** Asks as alice, with one valid sample unless told otherwise. */
  readonly infer: (body?: unknown, path?: string) => Promise<Answer<InferenceAnswer>>;
  /** What the operator sees of the endpoint `samples`. */
  readonly status: () => Promise<EndpointStatus>;
  readonly callAdmin: (path: string, init?: RequestInit) => Promise<Answer>;
  readonly drain: () => Promise<void>;
}

export const sample = { inputs: [{ name: 'input', datatype: 'FP32', shape: [1, 2], data: [0, 1] }] };

/** Starts a gateway on real parts: the chain's store, `verifyRelease`, ONNX Runtime in worker threads, HTTP. */
export async function runGateway(
  chain: SignedChain,
  parts: Partial<GatewayParts> = {},
): Promise<RunningGateway> {
  let time = now.getTime();
  const log: string[] = [];
  const gateway = await buildGateway({
    store: chain.store,
    verify: (release, expected) => verifyRelease(chain.store, chain.policy, release, expected),
    openModel: (onnx) => openSession(onnx, { place: 'thread' }),
    marks: marksInMemory(),
    selection: 'all',
    readClientsText: async () => JSON.stringify([alice.client, bob.client]),
    now: () => new Date(time),
    log: pino({}, { write: (line: string) => void log.push(line) }),
    limits: defaultLimits,
    noiseSecret: 'a secret',
    ...parts,
  });
  const url = await gateway.predictions.listen({ host: '127.0.0.1', port: 0 });
  const adminUrl = await gateway.admin.listen({ host: '127.0.0.1', port: 0 });
  await gateway.poll();

  const caller =
    (base: string) =>
    async <Body>(path: string, init: RequestInit = {}): Promise<Answer<Body>> => {
      const response = await fetch(`${base}${path}`, init);
      return { status: response.status, headers: response.headers, body: (await response.json()) as Body };
    };
  const call = caller(url);
  const callAdmin = caller(adminUrl);
  return {
    url,
    adminUrl,
    log,
    advance(ms) {
      time += ms;
    },
    poll: gateway.poll,
    call,
    callAdmin,
    infer: (body = sample, path = '/v2/models/samples/infer') =>
      call<InferenceAnswer>(path, {
        method: 'POST',
        headers: { authorization: `Bearer ${alice.key}`, 'content-type': 'application/json' },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
    status: async () => (await callAdmin<EndpointStatus>('/admin/endpoints/samples')).body,
    drain: gateway.drain,
  };
}
