import { endpointOfRef, endpointRefPrefix } from '../core/serving/index.js';
import type { Store } from '../core/store/index.js';
import { type EndpointParts, type ServedEndpoint, serveEndpoint } from './served-endpoint.js';

/** Which endpoints a gateway serves. */
export type EndpointSelection = 'all' | readonly string[];

/** All endpoints of a gateway. */
export interface ServedEndpoints {
  readonly get: (name: string) => ServedEndpoint | undefined;
  readonly all: () => readonly ServedEndpoint[];
  /** Finds endpoints and lets each follow its ref. Never rejects. An endpoint that takes long delays no other's next poll. */
  readonly poll: () => Promise<void>;
  /** Whether a whole poll has ended. */
  readonly polled: () => boolean;
  readonly close: () => void;
}

export interface EndpointsParts extends EndpointParts {
  readonly store: Pick<Store, 'readRef' | 'listRefs'>;
  readonly selection: EndpointSelection;
}

export function serveEndpoints(parts: EndpointsParts): ServedEndpoints {
  const { store, selection, marks, log } = parts;
  const endpoints = new Map<string, ServedEndpoint>();
  let discovering: Promise<void> | undefined;
  let failing = false;
  let polled = false;

  function add(name: string): void {
    if (selection !== 'all' && !selection.includes(name)) return;
    if (!endpoints.has(name)) endpoints.set(name, serveEndpoint(name, parts));
  }

  async function discover(): Promise<void> {
    if (selection !== 'all') return;
    try {
      for (const ref of await store.listRefs(endpointRefPrefix)) {
        const name = endpointOfRef(ref);
        if (name !== undefined) add(name);
      }
      failing = false;
    } catch (error) {
      if (!failing) log.warn({ err: error }, 'the store does not list its endpoints');
      failing = true;
    }
  }

  async function poll(): Promise<void> {
    discovering ??= discover().finally(() => {
      discovering = undefined;
    });
    await discovering;
    await Promise.all([...endpoints.values()].map((endpoint) => endpoint.refresh()));
    polled = true;
  }

  for (const name of [...marks.endpoints(), ...(selection === 'all' ? [] : selection)]) add(name);

  return {
    get: (name) => endpoints.get(name),
    all: () => [...endpoints.values()],
    poll,
    polled: () => polled,
    close() {
      for (const endpoint of endpoints.values()) endpoint.close();
    },
  };
}
