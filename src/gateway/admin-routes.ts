import type { FastifyInstance } from 'fastify';
import { RefusedError } from '../core/errors/index.js';
import type { EndpointPointer } from '../core/serving/index.js';
import type { Digest } from '../core/spec/index.js';
import type { GatewayMetrics } from './metrics.js';
import type { Refusal } from './refusals.js';
import type { ServedEndpoint, Staleness, WarmRelease } from './served-endpoint.js';
import type { ServedEndpoints } from './served-endpoints.js';
import type { RaisedAlarm, WatchedClients } from './watched-clients.js';

/** A revision that a gateway holds warm. */
export interface RevisionStatus {
  readonly revision: number;
  readonly release: Digest;
  readonly kind: 'release' | 'rollback';
  readonly model: Digest;
  readonly since: Date;
}

/** What one gateway has to say about one endpoint; it has converged when `live.release` is `wanted.release`. */
export interface EndpointStatus {
  readonly endpoint: string;
  readonly live: RevisionStatus | null;
  readonly previous: RevisionStatus | null;
  readonly wanted: EndpointPointer | null;
  readonly lastRefusal: Refusal | null;
  /** Set while the store does not answer. */
  readonly stale: Staleness | null;
  /** When the store answered last. */
  readonly seenAt: Date | null;
  /** About clients, newest first. */
  readonly alarms: readonly RaisedAlarm[];
}

/** Everything an operator needs, and clients must not see: it listens on loopback only. */
export function adminRoutes(
  app: FastifyInstance,
  endpoints: ServedEndpoints,
  watched: WatchedClients,
  { registry }: GatewayMetrics,
): void {
  const statusOf = statusWith(watched);
  // A web page in the operator's browser can reach loopback under a name of its own (DNS rebinding); it cannot choose
  // the Host header.
  app.addHook('onRequest', async (request) => {
    if (!['127.0.0.1', 'localhost', '[::1]'].includes(request.hostname)) {
      throw new RefusedError('forbidden', 'expected a loopback address in the Host header');
    }
  });
  app.get('/metrics', async (_request, reply) => {
    const text = await registry.metrics();
    return await reply.type(registry.contentType).send(text);
  });
  app.get('/admin/endpoints', () => ({ endpoints: endpoints.all().map(statusOf) }));
  app.get<{ Params: { readonly name: string } }>('/admin/endpoints/:name', (request) => {
    const endpoint = endpoints.get(request.params.name);
    if (endpoint === undefined) throw new RefusedError('endpoint-unknown', 'no such endpoint');
    return statusOf(endpoint);
  });
}

const statusWith =
  ({ alarms }: WatchedClients) =>
  (endpoint: ServedEndpoint): EndpointStatus => ({
    endpoint: endpoint.name,
    live: revisionOf(endpoint.live()),
    previous: revisionOf(endpoint.previous()),
    wanted: endpoint.wanted() ?? null,
    lastRefusal: endpoint.lastRefusal() ?? null,
    stale: endpoint.stale() ?? null,
    seenAt: endpoint.seenAt() ?? null,
    alarms: alarms(endpoint.name),
  });

function revisionOf(warm: WarmRelease | undefined): RevisionStatus | null {
  if (warm === undefined) return null;
  const { revision, release, kind, model, since } = warm;
  return { revision, release, kind, model, since };
}
