import type { Logger } from 'pino';
import {
  type EndpointPointer,
  endpointPointerSchema,
  endpointRef,
  type Profile,
} from '../core/serving/index.js';
import type { Digest, ModelCard, ServingSpec } from '../core/spec/index.js';
import type { Store } from '../core/store/index.js';
import { revocationsRef } from '../core/trust/index.js';
import { type AdmissionParts, admit } from './admission.js';
import { type Refusal, refusals } from './refusals.js';
import type { ModelLease } from './warm-models.js';

/** A verified revision, loaded and warm. */
export interface WarmRelease {
  readonly revision: number;
  /** Envelope of the release statement. */
  readonly release: Digest;
  readonly kind: 'release' | 'rollback';
  readonly model: Digest;
  readonly card: ModelCard;
  readonly serving: ServingSpec | undefined;
  /** Of honest requests, where clients are watched. */
  readonly profile: Profile | undefined;
  readonly lease: ModelLease;
  /** When this gateway began to serve it. */
  readonly since: Date;
}

/** Since when the store has not answered, and why. */
export interface Staleness {
  readonly since: Date;
  readonly message: string;
}

/** One endpoint as this gateway serves it. */
export interface ServedEndpoint {
  readonly name: string;
  /** What requests are answered with; read once a request. */
  readonly live: () => WarmRelease | undefined;
  /** What is kept warm for a rollback. */
  readonly previous: () => WarmRelease | undefined;
  /** What the ref asked for when it was last read. */
  readonly wanted: () => EndpointPointer | undefined;
  readonly lastRefusal: () => Refusal | undefined;
  readonly stale: () => Staleness | undefined;
  /** When the store answered last: it grows old, too, while a store neither answers nor fails. */
  readonly seenAt: () => Date | undefined;
  /** Looks at the ref and follows it if its release verifies. Never rejects; calls that overlap are one. */
  readonly refresh: () => Promise<void>;
  /** Lets the models go once the requests in flight are answered. */
  readonly close: () => void;
}

export interface EndpointParts extends AdmissionParts {
  readonly store: Pick<Store, 'readRef'>;
  readonly now: () => Date;
  readonly log: Logger;
}

export function serveEndpoint(name: string, parts: EndpointParts): ServedEndpoint {
  const { store, marks, now } = parts;
  const log = parts.log.child({ endpoint: name });
  const refused = refusals(now);
  let live: WarmRelease | undefined;
  let previous: WarmRelease | undefined;
  let wanted: EndpointPointer | undefined;
  let stale: Staleness | undefined;
  let seenAt: Date | undefined;
  let refreshing: Promise<void> | undefined;
  let closed = false;
  /** The newest revocation of data that what is live was held against. */
  let heeded = 0;

  async function refresh(): Promise<void> {
    await heedRevocations();
    const mark = marks.get(name);
    const read = await readPointer(mark !== undefined);
    if (read !== undefined) wanted = read.pointer;
    refused.keepOnly(new Set([wanted?.release, mark?.release, 'unreadable-ref']));
    // After a restart, or when the session broke, the revision accepted last comes first: it may be all there is.
    if (mark !== undefined && (live === undefined || live.lease.broken())) await follow(mark);
    if (read?.pointer !== undefined) await follow(read.pointer);
  }

  /** Data that was revoked takes what is live down with it, unless another revision is live already. */
  async function heedRevocations(): Promise<void> {
    const version = await store.readRef(revocationsRef).catch(() => undefined);
    const newest = version?.sequence ?? heeded;
    if (newest === heeded) return;
    if (live !== undefined) {
      const { release, revision } = live;
      const verification = await parts.verify(release, { endpoint: name }).catch(() => undefined);
      if (verification === undefined) return;
      if (!verification.ok && verification.failures.some(({ code }) => code === 'revoked')) {
        report(refused.add(release, revision, verification.failures));
        live.lease.release();
        live = undefined;
      }
    }
    heeded = newest;
  }

  /** @returns undefined when the store does not answer */
  async function readPointer(
    known: boolean,
  ): Promise<{ readonly pointer: EndpointPointer | undefined } | undefined> {
    try {
      const version = await store.readRef(endpointRef(name));
      // Refs are never deleted: one that was there and is gone means that the store is not what it was.
      if (version === undefined && known) throw new Error(`the store has lost the ref ${endpointRef(name)}`);
      if (stale !== undefined) log.info({ staleSince: stale.since }, 'the store answers again');
      stale = undefined;
      seenAt = now();
      return { pointer: version === undefined ? undefined : pointerIn(version.value) };
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (stale === undefined) log.warn({ reason: message }, 'the store does not answer: serving on');
      stale ??= { since: now(), message };
      return undefined;
    }
  }

  function pointerIn(value: unknown): EndpointPointer | undefined {
    const pointer = endpointPointerSchema.safeParse(value);
    if (!pointer.success && !refused.waiting('unreadable-ref')) {
      const message = `expected { release, revision } in the ref ${endpointRef(name)}`;
      report(
        refused.add('unreadable-ref', undefined, [{ link: 'release', code: 'pointer-invalid', message }]),
      );
    }
    return pointer.data;
  }

  async function follow(pointer: EndpointPointer): Promise<void> {
    if (closed || refused.waiting(pointer.release)) return;
    if (live?.release === pointer.release && !live.lease.broken()) return;
    const admission = await admit(name, pointer, parts);
    if (!admission.ok) {
      report(refused.add(pointer.release, pointer.revision, admission.failures));
      return;
    }
    const { verified, lease, profile } = admission;
    if (closed) {
      lease.release();
      return;
    }
    const { revision, kind, model, serving } = verified.release;
    const { card } = verified;
    swap({ revision, kind, model, serving, release: pointer.release, card, profile, lease, since: now() });
    log.info({ revision, model, kind, release: pointer.release }, 'serving');
  }

  /** A request sees the old release or the new one, never neither: nothing here waits. */
  function swap(next: WarmRelease): void {
    const old = live;
    live = next;
    if (old?.release === next.release) old.lease.release();
    else if (old !== undefined) {
      previous?.lease.release();
      previous = old;
    }
  }

  function report(refusal: Refusal): void {
    log.error({ ...refusal, serving: live?.revision }, 'release refused');
  }

  return {
    name,
    live: () => live,
    previous: () => previous,
    wanted: () => wanted,
    lastRefusal: refused.last,
    stale: () => stale,
    seenAt: () => seenAt,
    refresh() {
      refreshing ??= refresh().finally(() => {
        refreshing = undefined;
      });
      return refreshing;
    },
    close() {
      closed = true;
      live?.lease.release();
      previous?.lease.release();
    },
  };
}
