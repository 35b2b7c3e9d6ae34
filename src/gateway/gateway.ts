import type { Server as TlsServer } from 'node:tls';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { readClients, type TrustedIssuer } from '../core/serving/index.js';
import type { Store } from '../core/store/index.js';
import { adminRoutes } from './admin-routes.js';
import type { OpenModel, VerifyRelease } from './admission.js';
import { requestAnswerer } from './answer-request.js';
import { type FollowedFile, followFile } from './followed-file.js';
import { httpServer } from './http-server.js';
import { learnRelease } from './learn-release.js';
import { gatewayMetrics } from './metrics.js';
import type { RunnerLimits } from './model-runner.js';
import { predictionRoutes } from './prediction-routes.js';
import { queryBudgets } from './query-budgets.js';
import type { RevisionMarks } from './revision-marks.js';
import { type EndpointSelection, serveEndpoints } from './served-endpoints.js';
import type { Tls } from './tls.js';
import { warmModels } from './warm-models.js';
import { watchedClients } from './watched-clients.js';

/** What one client may cost. */
export interface GatewayLimits {
  /** Largest body of a request. */
  readonly bodyBytes: number;
  /** Largest number of samples in a request. */
  readonly samples: number;
  /** Largest number of noisy copies that a request may ask a smoothed classifier to vote over; one sample always may. */
  readonly noisyCopies: number;
  /** Of each model. */
  readonly runner: RunnerLimits;
}

export const defaultLimits: GatewayLimits = {
  bodyBytes: 8 * 2 ** 20,
  samples: 256,
  noisyCopies: 100_000,
  runner: { waiting: 64, waitMs: 10_000, batch: 1 },
};

/** A gateway's dependencies: it reads a store, in which it writes query budgets alone, and a clients file, and believes `verify`. */
export interface GatewayParts {
  readonly store: Pick<Store, 'readRef' | 'listRefs' | 'moveRef' | 'fetchTree'>;
  readonly verify: VerifyRelease;
  readonly openModel: OpenModel;
  readonly marks: RevisionMarks;
  readonly selection: EndpointSelection;
  readonly tls?: Tls | undefined;
  readonly readClientsText: () => Promise<string>;
  /** Whose tokens are believed; nobody's, where it is absent. */
  readonly issuers?: FollowedFile<readonly TrustedIssuer[]> | undefined;
  readonly now: () => Date;
  readonly log: Logger;
  readonly limits: GatewayLimits;
  /** Names the noise of smoothed classifiers: a client who knows it can choose inputs that they get wrong. */
  readonly noiseSecret: string;
}

/** Two servers that do not listen yet, and what drives them. */
export interface Gateway {
  /** Predictions, for clients with keys. */
  readonly predictions: FastifyInstance;
  /** Status, for the operator: to be bound to loopback. */
  readonly admin: FastifyInstance;
  /** Looks at the clients file and at every endpoint's ref once. Never rejects. */
  readonly poll: () => Promise<void>;
  /** Answers what is in flight, then closes servers and models. */
  readonly drain: () => Promise<void>;
}

/**
 * Puts a gateway together.
 * @throws RefusedError `clients-invalid`
 */
export async function buildGateway(parts: GatewayParts): Promise<Gateway> {
  const { log, limits, issuers } = parts;
  const clients = await followFile('clients', parts.readClientsText, readClients, log);
  const models = warmModels(limits.runner, (error) => log.error({ err: error }, 'a model did not close'));
  const learn = learnRelease(parts.store, parts.noiseSecret);
  const endpoints = serveEndpoints({ ...parts, learn, models });
  const metrics = gatewayMetrics(endpoints, parts.now);
  const watched = watchedClients(parts.now, log, metrics.alarm);
  const budgets = queryBudgets(parts.store, parts.now);
  let draining = false;

  const predictions = httpServer(log, limits.bodyBytes, parts.tls);
  metrics.measure(predictions);
  predictionRoutes(predictions, {
    endpoints,
    speakers: () => ({ clients: clients.current(), issuers: issuers?.current() ?? [] }),
    answer: requestAnswerer({ budgets, watched, limits, noiseSecret: parts.noiseSecret }),
    now: parts.now,
    accepting: () => !draining,
  });
  const admin = httpServer(log, 1024);
  adminRoutes(admin, endpoints, watched, metrics);

  return {
    predictions,
    admin,
    async poll() {
      const renewed = parts.tls?.refresh(predictions.server as unknown as TlsServer);
      await Promise.all([clients.refresh(), issuers?.refresh(), endpoints.poll(), renewed]);
    },
    async drain() {
      draining = true;
      await Promise.all([predictions.close(), admin.close()]);
      endpoints.close();
      await budgets.close();
      await models.settled();
    },
  };
}
