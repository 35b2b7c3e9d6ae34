import type { Logger } from 'pino';
import { type Alarm, type Profile, type Suspicion, watchRequest } from '../core/serving/index.js';
import type { WatchSpec } from '../core/spec/index.js';

/** An alarm as an operator sees it. */
export interface RaisedAlarm extends Alarm {
  readonly endpoint: string;
  /** Null when it is about all clients of the endpoint together: somebody may be several of them. */
  readonly client: string | null;
  readonly at: Date;
}

/** What one request showed. */
export interface WatchedRequest {
  readonly endpoint: string;
  readonly client: string;
  readonly watch: WatchSpec;
  readonly profile: Profile;
  /** Row-major, one sample a row. */
  readonly values: Float32Array;
  /** The largest of the model's probabilities less the second, for each sample. */
  readonly margins: Float64Array;
}

/** What this gateway has seen its clients do today. Another gateway sees its own share; a restart forgets. */
export interface WatchedClients {
  readonly observe: (request: WatchedRequest) => void;
  /** Whether an alarm was raised about this very client today. */
  readonly isSuspect: (endpoint: string, client: string) => boolean;
  /** The last alarms, newest first, at most 100. */
  readonly alarms: (endpoint: string) => readonly RaisedAlarm[];
}

const kept = 100;
/** Takes no client's name: names have no such letter. */
const everybody = '*';

/** @param raise - told of each alarm */
export function watchedClients(
  now: () => Date,
  log: Logger,
  raise: (alarm: RaisedAlarm) => void,
): WatchedClients {
  const suspicions = new Map<string, Suspicion>();
  const raised = new Map<string, readonly RaisedAlarm[]>();

  function look(about: string, request: WatchedRequest, points: readonly Float32Array[]): void {
    const { endpoint, profile, watch, margins } = request;
    const key = `${endpoint}/${about}`;
    const at = now();
    for (const [index, margin] of margins.entries()) {
      const point = points[index]!;
      const { suspicion, alarms } = watchRequest(
        profile,
        suspicions.get(key),
        { point, margin },
        watch.falseAlarmRate,
        at,
      );
      suspicions.set(key, suspicion);
      for (const alarm of alarms) {
        const client = about === everybody ? null : about;
        log.warn(
          { endpoint, client, action: watch.action, ...alarm },
          'a client does what honest ones do not',
        );
        const news = { ...alarm, endpoint, client, at };
        raise(news);
        raised.set(endpoint, [news, ...(raised.get(endpoint) ?? [])].slice(0, kept));
      }
    }
  }

  return {
    observe(request) {
      const { profile, values, margins } = request;
      const size = values.length / margins.length;
      const points = Array.from(margins, (_, index) =>
        profile.project(values.subarray(index * size, (index + 1) * size)),
      );
      look(request.client, request, points);
      look(everybody, request, points);
    },
    isSuspect(endpoint, client) {
      const suspicion = suspicions.get(`${endpoint}/${client}`);
      return (
        suspicion !== undefined &&
        suspicion.raised.length > 0 &&
        suspicion.day === now().toISOString().slice(0, 10)
      );
    },
    alarms: (endpoint) => raised.get(endpoint) ?? [],
  };
}
