/** How full a bucket was, and when. */
export interface TokenBucket {
  readonly tokens: number;
  readonly atMs: number;
}

/** Whether a request may go ahead, and how the bucket is then. */
export type BucketDecision =
  | { readonly ok: true; readonly bucket: TokenBucket }
  | { readonly ok: false; readonly bucket: TokenBucket; readonly retryAfterMs: number };

const MINUTE = 60_000;

/**
 * Takes tokens out of a bucket that holds a minute's worth and fills evenly, so that a client may ask in bursts and not for long.
 *
 * @param bucket - undefined: full
 * @param perMinute - at least 1
 * @param cost - at most `perMinute`, or it is never let through
 */
export function takeTokens(
  bucket: TokenBucket | undefined,
  perMinute: number,
  cost: number,
  nowMs: number,
): BucketDecision {
  // A clock that was set back fills nothing and empties nothing.
  const elapsed = Math.max(0, nowMs - (bucket?.atMs ?? nowMs));
  const tokens = Math.min(perMinute, (bucket?.tokens ?? perMinute) + (elapsed * perMinute) / MINUTE);
  if (cost <= tokens) return { ok: true, bucket: { tokens: tokens - cost, atMs: nowMs } };
  const retryAfterMs = Math.ceil(((cost - tokens) * MINUTE) / perMinute);
  return { ok: false, bucket: { tokens, atMs: nowMs }, retryAfterMs };
}
