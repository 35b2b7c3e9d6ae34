import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { RefusedError } from '../core/errors/index.js';
import { randomStream } from '../core/random/index.js';
import {
  type ApiClient,
  abstentionLabel,
  authenticate,
  authorize,
  describeInput,
  describeOutputs,
  type OutputTensor,
  outputTensors,
  type RevealRow,
  readInferenceRequest,
  reveal,
  scopeOf,
  smoothedOutputTensors,
} from '../core/serving/index.js';
import type { Digest, QueryBudget, ScopeSpec } from '../core/spec/index.js';
import { marginOf } from './learn-release.js';
import { logitsOf } from './logits.js';
import type { QueryBudgets } from './query-budgets.js';
import { digestOfSample } from './sample-digest.js';
import type { WarmRelease } from './served-endpoint.js';
import type { ServedEndpoints } from './served-endpoints.js';
import { mostSmoothed, smoothedAnswers } from './smoothed-answers.js';
import { clientCertificateOf } from './tls.js';
import type { WatchedClients } from './watched-clients.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who speaks; set once the key is known. */
    apiClient: ApiClient | undefined;
    /** The revision that answered, for the log. */
    answeredBy: number | undefined;
  }
}

interface ModelParams {
  readonly name: string;
  readonly version?: string;
}

/** An answer of the Open Inference Protocol V2. */
export interface InferenceAnswer {
  readonly id?: string;
  readonly model_name: string;
  /** The revision of the endpoint that answered. */
  readonly model_version: string;
  readonly parameters: { readonly model: Digest };
  readonly outputs: readonly OutputTensor[];
}

export interface PredictionParts {
  readonly endpoints: ServedEndpoints;
  readonly clients: () => readonly ApiClient[];
  readonly budgets: QueryBudgets;
  readonly watched: WatchedClients;
  /** Of one request. */
  readonly limits: { readonly samples: number; readonly noisyCopies: number };
  /** Names the noise of smoothed classifiers and of what is revealed. */
  readonly noiseSecret: string;
  readonly now: () => Date;
  /** False while the server drains. */
  readonly accepting: () => boolean;
}

/**
 * The REST half of the Open Inference Protocol V2. What a server is, and whether it is alive, is told to everyone;
 * whatever is said about a model is said to clients whose key covers it.
 */
export function predictionRoutes(app: FastifyInstance, parts: PredictionParts): void {
  const { endpoints, clients, budgets, watched, limits, noiseSecret: secret, now, accepting } = parts;

  app.decorateRequest('apiClient', undefined);
  app.decorateRequest('answeredBy', undefined);

  app.get('/v2', () => ({ name: 'assay', version: '2', extensions: [] }));
  app.get('/v2/health/live', () => ({ live: true }));
  // Not "every model is ready", as the protocol has it: whoever can write a ref to the store could then take every
  // gateway out of service with a release that never verifies. Readiness of one model is its own route.
  app.get('/v2/health/ready', (_request, reply) => {
    const ready = endpoints.polled() && accepting();
    return reply.code(ready ? 200 : 503).send({ ready });
  });

  void app.register(async (models) => {
    // Before the body is read: nobody gets a stranger's megabytes parsed.
    models.addHook<{ Params: ModelParams }>('onRequest', async (request) => {
      const certificate = clientCertificateOf(request.raw.socket);
      const { authorization } = request.headers;
      const client = authenticate(clients(), { authorization, certificate }, now());
      request.apiClient = client;
      authorize(client, request.params.name);
    });
    for (const path of ['/v2/models/:name', '/v2/models/:name/versions/:version']) {
      models.get<{ Params: ModelParams }>(path, (request) => {
        const release = releaseOf(request.params);
        return describe(request.params, release, scopeIn(release, request));
      });
      models.get<{ Params: ModelParams }>(`${path}/ready`, (request) => {
        releaseOf(request.params);
        return { name: request.params.name, ready: true };
      });
      models.post<{ Params: ModelParams }>(`${path}/infer`, async (request, reply) => {
        const release = releaseOf(request.params);
        request.answeredBy = release.revision;
        return await infer(release, request, reply);
      });
    }
  });

  function scopeIn({ serving }: WarmRelease, { apiClient }: FastifyRequest): ScopeSpec {
    // Nobody gets here without a key.
    return scopeOf(serving, apiClient!);
  }

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

  async function infer(
    release: WarmRelease,
    request: FastifyRequest<{ Params: ModelParams }>,
    reply: FastifyReply,
  ): Promise<InferenceAnswer> {
    const { card, lease, model, revision } = release;
    const { smoothing } = card;
    const { name } = request.params;
    const client = request.apiClient!.name;
    const { reveals, budget, watch } = scopeIn(release, request);
    const isSuspect = watch !== undefined && watched.isSuspect(name, client);
    if (isSuspect && watch.action === 'block')
      throw new RefusedError('client-blocked', `${client} gets no answers of this endpoint today`);
    const withheld = isSuspect && watch.action === 'withhold';
    const most = smoothing ? mostSmoothed(limits.samples, limits.noisyCopies, smoothing) : limits.samples;
    const { id, samples, values, outputs } = readInferenceRequest(card, reveals, request.body, most);
    if (budget) await spend(name, client, budget, samples, reply);
    const logits = (inputs: Float32Array, n: number) => logitsOf(lease.run, card, n, inputs);
    // Where the model abstains it is as unsure as can be.
    const margins = new Float64Array(samples);
    const revealRow: RevealRow = (probabilities, answer, sample) => {
      margins[sample] = marginOf(probabilities);
      if (withheld) return new Float64Array(probabilities.length);
      return reveal(probabilities, answer, reveals, () =>
        randomStream(0, 'revealed', secret, model, digestOfSample(values, samples, sample)),
      );
    };
    const tensors = smoothing
      ? smoothedOutputTensors(
          card,
          await smoothedAnswers(logits, card, smoothing, { secret, model }, samples, values),
          outputs,
          revealRow,
        )
      : outputTensors(card, await logits(values, samples), outputs, revealRow);
    if (watch !== undefined && release.profile !== undefined) {
      const size = values.length / samples;
      const rows = Array.from(margins, (margin, index) => ({
        values: values.subarray(index * size, (index + 1) * size),
        margin,
      }));
      watched.observe({ endpoint: name, client, watch, profile: release.profile, samples: rows });
    }
    return {
      ...(id === undefined ? {} : { id }),
      model_name: name,
      model_version: String(revision),
      parameters: { model },
      outputs: tensors,
    };
  }

  async function spend(
    endpoint: string,
    client: string,
    budget: QueryBudget,
    samples: number,
    reply: FastifyReply,
  ): Promise<void> {
    const spending = await budgets.spend(endpoint, client, budget, samples);
    if (spending.ok) return;
    const { window, limit, retryAfterMs } = spending;
    if (retryAfterMs !== undefined && samples <= limit)
      reply.header('retry-after', String(Math.ceil(retryAfterMs / 1000)));
    throw new RefusedError(
      'budget-spent',
      `expected at most ${limit} samples ${window}, got ${samples} more than are left`,
    );
  }
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
