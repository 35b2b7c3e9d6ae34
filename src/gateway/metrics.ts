import type { FastifyInstance } from 'fastify';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { ServedEndpoint } from './served-endpoint.js';
import type { ServedEndpoints } from './served-endpoints.js';
import type { RaisedAlarm } from './watched-clients.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** How many samples it was answered. */
    samplesAnswered: number;
  }
}

/** What a gateway counts, for Prometheus. Labels are names that the operator chose, never what a client sent. */
export interface GatewayMetrics {
  /** Counts and times every request that the server answers. */
  readonly measure: (app: FastifyInstance) => void;
  readonly alarm: (alarm: RaisedAlarm) => void;
  /** The exposition format of Prometheus. */
  readonly registry: Pick<Registry, 'metrics' | 'contentType'>;
}

const seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

export function gatewayMetrics(endpoints: ServedEndpoints, now: () => Date): GatewayMetrics {
  const registry = new Registry();
  const registers = [registry];
  const counter = <Label extends string>(name: string, help: string, labelNames: readonly Label[]) =>
    new Counter({ name: `assay_gateway_${name}`, help, labelNames, registers });
  const requests = counter('requests_total', 'Requests answered.', ['endpoint', 'route', 'status']);
  const refusals = counter('refusals_total', 'Requests refused, by the code of the answer.', [
    'endpoint',
    'code',
  ]);
  const samples = counter('samples_total', 'Samples answered.', ['endpoint']);
  const alarms = counter('alarms_total', 'Alarms about clients.', ['endpoint', 'sign']);
  const latency = new Histogram({
    name: 'assay_gateway_request_seconds',
    help: 'Time from the head of a request to the end of its answer.',
    labelNames: ['endpoint', 'route'],
    buckets: seconds,
    registers,
  });
  const gauge = (name: string, help: string, read: (endpoint: ServedEndpoint) => number | undefined) =>
    new Gauge({
      name: `assay_gateway_${name}`,
      help,
      labelNames: ['endpoint'],
      registers,
      collect() {
        this.reset();
        for (const endpoint of endpoints.all()) {
          const value = read(endpoint);
          if (value !== undefined) this.set({ endpoint: endpoint.name }, value);
        }
      },
    });
  gauge('live_revision', 'The revision that answers.', (endpoint) => endpoint.live()?.revision);
  gauge(
    'wanted_revision',
    'The revision that the store asks for.',
    (endpoint) => endpoint.wanted()?.revision,
  );
  gauge('converged', '1 where the revision that answers is the one that is asked for.', (endpoint) =>
    Number(endpoint.live()?.release === endpoint.wanted()?.release),
  );
  gauge('refused', '1 where a release is refused that the store asks for.', (endpoint) =>
    Number(endpoint.lastRefusal() !== undefined),
  );
  gauge('store_age_seconds', 'Since the store answered last.', (endpoint) => {
    const seen = endpoint.seenAt();
    return seen && (now().getTime() - seen.getTime()) / 1000;
  });
  collectDefaultMetrics({ register: registry });

  return {
    registry,
    alarm: ({ endpoint, sign }) => alarms.inc({ endpoint, sign }),
    measure(app) {
      app.decorateRequest('samplesAnswered', 0);
      app.addHook('onResponse', async (request, reply) => {
        const { name = '' } = (request.params ?? {}) as { readonly name?: string };
        // A name that a client made up would be a time series for ever.
        const endpoint = endpoints.get(name) === undefined ? '' : name;
        const route = request.routeOptions.url ?? '';
        requests.inc({ endpoint, route, status: reply.statusCode });
        latency.observe({ endpoint, route }, reply.elapsedTime / 1000);
        if (request.refusedAs !== undefined) refusals.inc({ endpoint, code: request.refusedAs });
        if (request.samplesAnswered > 0) samples.inc({ endpoint }, request.samplesAnswered);
      });
    },
  };
}
