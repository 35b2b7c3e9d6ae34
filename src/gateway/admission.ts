import { RefusedError } from '../core/errors/index.js';
import { type OnnxSession, requireSafeModel } from '../core/onnx/index.js';
import type { EndpointPointer, Profile } from '../core/serving/index.js';
import type { Digest } from '../core/spec/index.js';
import type { Verification, VerifiedRelease } from '../core/trust/index.js';
import type { LearnRelease } from './learn-release.js';
import { logitsOf } from './logits.js';
import type { RefusalReason } from './refusals.js';
import type { RevisionMark, RevisionMarks } from './revision-marks.js';
import type { ModelLease, WarmModels } from './warm-models.js';

/** Checks a release's whole chain: `verifyRelease` of core/trust, bound to a store and a trust policy. */
export type VerifyRelease = (
  release: Digest,
  expected: { readonly endpoint: string; readonly afterRevision?: number },
) => Promise<Verification>;

/** Loads a model that was verified and scanned: `openSession` of core/onnx, in a thread of its own, once it was tried. */
export type OpenModel = (onnx: Uint8Array) => Promise<OnnxSession>;

export interface AdmissionParts {
  readonly verify: VerifyRelease;
  readonly openModel: OpenModel;
  readonly learn: LearnRelease;
  readonly models: WarmModels;
  readonly marks: RevisionMarks;
}

/** A release that was let in and is warm, or every reason why it was not. */
export type Admission =
  | {
      readonly ok: true;
      readonly verified: VerifiedRelease;
      readonly lease: ModelLease;
      /** Of honest requests, where the release says that clients are watched. */
      readonly profile: Profile | undefined;
    }
  | { readonly ok: false; readonly failures: readonly RefusalReason[] };

/**
 * The only door to a model: verify the chain → scan the verified bytes → load them → run them once → learn what honest requests look
 * like, if clients are to be watched → make the revision durable.
 * Nothing is loaded before the chain holds, and nothing is served before going back is impossible.
 * A fault (the store is away, the disk is full) is a reason like any other: the caller tries again later.
 */
export async function admit(
  endpoint: string,
  pointer: EndpointPointer,
  { verify, openModel, learn, models, marks }: AdmissionParts,
): Promise<Admission> {
  let lease: ModelLease | undefined;
  try {
    const verification = await verify(pointer.release, { endpoint, ...floor(pointer, marks.get(endpoint)) });
    if (!verification.ok) return verification;
    const { verified } = verification;
    const { model, revision } = verified.release;
    if (revision !== pointer.revision) {
      const message = `expected revision ${pointer.revision}, as the ref says, got ${revision}`;
      return { ok: false, failures: [{ link: 'release', code: 'pointer-mismatch', message }] };
    }
    lease = await models.acquire(model, () => openWarm(openModel, verified));
    const profile = isWatched(verified) ? await learn(verified.card, lease) : undefined;
    await marks.raise(endpoint, { revision, release: pointer.release });
    return { ok: true, verified, lease, profile };
  } catch (error) {
    lease?.release();
    return { ok: false, failures: [reasonOf(error)] };
  }
}

function isWatched({ release: { serving } }: VerifiedRelease): boolean {
  return Object.values(serving?.scopes ?? {}).some(({ watch }) => watch !== undefined);
}

/** The revision accepted last may come again (after a restart); another statement must have a larger number. */
function floor(
  pointer: EndpointPointer,
  mark: RevisionMark | undefined,
): { readonly afterRevision?: number } {
  if (mark === undefined) return {};
  return { afterRevision: mark.release === pointer.release ? mark.revision - 1 : mark.revision };
}

/** The first run of a session is slow and tells whether the model does what its card says: no client waits for it. */
async function openWarm(openModel: OpenModel, { card, onnx }: VerifiedRelease): Promise<OnnxSession> {
  requireSafeModel(onnx);
  const session = await openModel(onnx);
  try {
    await logitsOf((feeds) => session.run(feeds), card, 1, Float32Array.from(card.input.minimum));
    return session;
  } catch (error) {
    await session.close();
    throw error;
  }
}

function reasonOf(error: unknown): RefusalReason {
  const message = error instanceof Error ? error.message : String(error);
  return { code: error instanceof RefusedError ? error.code : 'unavailable', message };
}
