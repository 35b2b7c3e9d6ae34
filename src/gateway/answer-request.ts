import { RefusedError } from '../core/errors/index.js';
import { randomStream } from '../core/random/index.js';
import {
  type ApiClient,
  type OutputTensor,
  outputTensors,
  type RevealRow,
  readInferenceRequest,
  reveal,
  scopeOf,
  smoothedOutputTensors,
} from '../core/serving/index.js';
import type { Digest } from '../core/spec/index.js';
import { marginOf } from './learn-release.js';
import { logitsOf } from './logits.js';
import type { QueryBudgets, Spending } from './query-budgets.js';
import { digestOfSample } from './sample-digest.js';
import type { WarmRelease } from './served-endpoint.js';
import { mostSmoothed, smoothedAnswers } from './smoothed-answers.js';
import type { WatchedClients } from './watched-clients.js';

/** An answer of the Open Inference Protocol V2. */
export interface InferenceAnswer {
  readonly id?: string;
  readonly model_name: string;
  /** The revision of the endpoint that answered. */
  readonly model_version: string;
  readonly parameters: { readonly model: Digest };
  readonly outputs: readonly OutputTensor[];
}

/** A request of a client who may ask the endpoint. */
export interface AskedRequest {
  readonly endpoint: string;
  readonly client: ApiClient;
  readonly release: WarmRelease;
  /** The parsed JSON body, trusted for nothing. */
  readonly body: unknown;
  /** Told, before a refusal, after how many seconds the request would be answered. */
  readonly retryAfter: (seconds: number) => void;
}

export interface AnswerParts {
  readonly budgets: QueryBudgets;
  readonly watched: WatchedClients;
  /** Of one request. */
  readonly limits: { readonly samples: number; readonly noisyCopies: number };
  /** Names the noise of smoothed classifiers and of what is revealed. */
  readonly noiseSecret: string;
}

/** @throws RefusedError for whatever is wrong with the request or the client */
export type AnswerRequest = (request: AskedRequest) => Promise<InferenceAnswer>;

/** The way of a request: suspicion → what it asks → budget → the model → what is revealed → what it shows of the client. */
export function requestAnswerer({
  budgets,
  watched,
  limits,
  noiseSecret: secret,
}: AnswerParts): AnswerRequest {
  return async ({ endpoint, client: { name: client, scope }, release, body, retryAfter }) => {
    const { card, lease, model, revision, serving, profile } = release;
    const { smoothing } = card;
    const { reveals, budget, watch } = scopeOf(serving, scope === undefined ? {} : { scope });
    const isSuspect = watch !== undefined && watched.isSuspect(endpoint, client);
    if (isSuspect && watch.action === 'block')
      throw new RefusedError('client-blocked', `${client} gets no answers of this endpoint today`);
    const most = smoothing ? mostSmoothed(limits.samples, limits.noisyCopies, smoothing) : limits.samples;
    const { id, samples, values, outputs } = readInferenceRequest(card, reveals, body, most);
    if (budget) {
      const spending = await budgets.spend(endpoint, client, budget, samples);
      if (!spending.ok) throw overspent(spending, samples, retryAfter);
    }
    // Where the model abstains it is as unsure as can be.
    const margins = new Float64Array(samples);
    const revealRow: RevealRow = (probabilities, answer, sample) => {
      margins[sample] = marginOf(probabilities);
      if (isSuspect && watch.action === 'withhold') return new Float64Array(probabilities.length);
      return reveal(probabilities, answer, reveals, () =>
        randomStream(0, 'revealed', secret, model, digestOfSample(values, samples, sample)),
      );
    };
    const logits = (inputs: Float32Array, n: number) =>
      logitsOf((feeds) => lease.run(feeds, client), card, n, inputs);
    const tensors = smoothing
      ? smoothedOutputTensors(
          card,
          await smoothedAnswers(logits, card, smoothing, { secret, model }, samples, values),
          outputs,
          revealRow,
        )
      : outputTensors(card, await logits(values, samples), outputs, revealRow);
    if (watch && profile) watched.observe({ endpoint, client, watch, profile, values, margins });
    return {
      ...(id === undefined ? {} : { id }),
      model_name: endpoint,
      model_version: String(revision),
      parameters: { model },
      outputs: tensors,
    };
  };
}

function overspent(
  { window, limit, retryAfterMs }: Exclude<Spending, { ok: true }>,
  samples: number,
  retryAfter: (seconds: number) => void,
): RefusedError {
  if (retryAfterMs !== undefined && samples <= limit) retryAfter(Math.ceil(retryAfterMs / 1000));
  return new RefusedError(
    'budget-spent',
    `expected at most ${limit} samples ${window}, got a request for ${samples}, which is more than are left`,
  );
}
