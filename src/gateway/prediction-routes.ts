import type { FastifyInstance, FastifyRequest } from 'fastify';
import { RefusedError } from '../core/errors/index.js';
import {
  type ApiClient,
  abstentionLabel,
  authenticate,
  authorize,
  type BinaryRequest,
  describeInput,
  describeOutputs,
  type KnownSpeakers,
  openApiDocument,
  readBinaryRequest,
  scopeOf,
  writeBinaryAnswer,
} from '../core/serving/index.js';
import type { ScopeSpec } from '../core/spec/index.js';
import type { AnswerRequest } from './answer-request.js';
import type { WarmRelease } from './served-endpoint.js';
import type { ServedEndpoints } from './served-endpoints.js';
import { clientCertificateOf } from './tls.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who speaks; set once that is known. */
    apiClient: ApiClient | undefined;
    /** The revision that answered, for the log. */
    answeredBy: number | undefined;
    /** Which outputs a request with binary tensors asks for in binary. */
    binaryOutputs: BinaryRequest['binaryOutputs'] | undefined;
  }
}

interface ModelParams {
  readonly name: string;
  readonly version?: string;
}

export interface PredictionParts {
  readonly endpoints: ServedEndpoints;
  readonly speakers: () => KnownSpeakers;
  readonly answer: AnswerRequest;
  readonly now: () => Date;
  /** False while the server drains. */
  readonly accepting: () => boolean;
}

/**
 * The REST half of the Open Inference Protocol V2. What a server is, and whether it is alive, is told to everyone;
 * whatever is said about a model is said to clients who may ask it.
 */
export function predictionRoutes(app: FastifyInstance, parts: PredictionParts): void {
  const { endpoints, speakers, answer, now, accepting } = parts;

  app.decorateRequest('apiClient', undefined);
  app.decorateRequest('answeredBy', undefined);
  app.decorateRequest('binaryOutputs', undefined);

  app.get('/v2', () => ({ name: 'assay', version: '2', extensions: ['binary_tensor_data'] }));
  const document = openApiDocument();
  app.get('/v2/openapi.json', () => document);
  app.get('/v2/health/live', () => ({ live: true }));
  // Not "every model is ready", as the protocol has it: whoever can write a ref to the store could then take every
  // gateway out of service with a release that never verifies. Readiness of one model is its own route.
  app.get('/v2/health/ready', (_request, reply) => {
    const ready = endpoints.polled() && accepting();
    return reply.code(ready ? 200 : 503).send({ ready });
  });

  void app.register(async (models) => {
    // `*` is for clients that do not say what they send, as NVIDIA's.
    models.addContentTypeParser(
      ['application/octet-stream', '*'],
      { parseAs: 'buffer' },
      async (request: FastifyRequest, bytes: Buffer) => {
        const { body, binaryOutputs } = readBinaryRequest(headerBytesOf(request), bytes);
        request.binaryOutputs = binaryOutputs;
        return body;
      },
    );
    // Before the body is read: nobody gets a stranger's megabytes parsed.
    models.addHook<{ Params: ModelParams }>('onRequest', async (request) => {
      const certificate = clientCertificateOf(request.raw.socket);
      const { authorization } = request.headers;
      const client = await authenticate(speakers(), { authorization, certificate }, now());
      request.apiClient = client;
      authorize(client, request.params.name);
    });
    for (const path of ['/v2/models/:name', '/v2/models/:name/versions/:version']) {
      models.get<{ Params: ModelParams }>(path, (request) => {
        const release = releaseOf(request.params);
        return describe(request.params, release, scopeOf(release.serving, request.apiClient!));
      });
      models.get<{ Params: ModelParams }>(`${path}/ready`, (request) => {
        releaseOf(request.params);
        return { name: request.params.name, ready: true };
      });
      models.post<{ Params: ModelParams }>(`${path}/infer`, async (request, reply) => {
        const release = releaseOf(request.params);
        request.answeredBy = release.revision;
        const asked = {
          endpoint: request.params.name,
          // Nobody gets here without a key.
          client: request.apiClient!,
          release,
          body: request.body,
          retryAfter: (seconds: number) => void reply.header('retry-after', String(seconds)),
        };
        const answered = await answer(asked);
        request.samplesAnswered = answered.outputs[0]?.shape[0] ?? 0;
        const written = request.binaryOutputs && writeBinaryAnswer(answered, request.binaryOutputs);
        if (written === undefined) return answered;
        reply.header('inference-header-content-length', String(written.headerBytes));
        return await reply.type('application/octet-stream').send(written.body);
      });
    }
  });

  function releaseOf({ name, version }: ModelParams): WarmRelease {
    const endpoint = endpoints.get(name);
    if (endpoint === undefined) throw new RefusedError('endpoint-unknown', 'no such endpoint');
    const live = endpoint.live();
    if (live === undefined) {
      throw new RefusedError('endpoint-not-ready', `no release of ${name} is verified and loaded`);
    }
    if (version !== undefined && version !== String(live.revision)) {
      throw new RefusedError('endpoint-unknown', `expected the live revision of ${name}, ${live.revision}`);
    }
    return live;
  }
}

/** @throws RefusedError `media-type-unsupported` or `request-invalid` */
function headerBytesOf({ headers }: FastifyRequest): number {
  const text = headers['inference-header-content-length'];
  const isBinary = [undefined, 'application/octet-stream'].includes(headers['content-type']);
  if (text === undefined || !isBinary)
    throw new RefusedError(
      'media-type-unsupported',
      'expected JSON, or binary tensors and the length of their header',
    );
  if (/^\d{1,9}$/.test(String(text))) return Number(text);
  throw new RefusedError(
    'request-invalid',
    'expected Inference-Header-Content-Length to be a number of bytes',
  );
}

function describe(
  { name }: ModelParams,
  { card, revision, model }: WarmRelease,
  { reveals, budget }: ScopeSpec,
) {
  const { outputs: _, ...hardening } = reveals;
  return {
    name,
    versions: [String(revision)],
    platform: 'onnx_onnxv1',
    inputs: [describeInput(card)],
    outputs: describeOutputs(card, reveals),
    parameters: {
      model,
      ...(card.smoothing && {
        smoothing_sigma: card.smoothing.sigma,
        smoothing_samples: card.smoothing.samples,
        smoothing_alpha: card.smoothing.alpha,
        abstention_label: abstentionLabel(card),
      }),
      ...prefixed('probabilities_', hardening),
      ...prefixed('budget_', budget ?? {}),
    },
  };
}

/** Clients are told how their probabilities are changed, and what they may ask: only the noise is a secret. */
function prefixed(prefix: string, record: object): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(record).map(([name, value]) => [`${prefix}${snakeCase(name)}`, value]),
  );
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
