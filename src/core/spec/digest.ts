import { z } from 'zod';

/** The SHA-256 of some bytes, in lower-case hex: the only name that an artifact has. */
export type Digest = `sha256:${string}`;

export const digestSchema = z.custom<Digest>(
  (value) => typeof value === 'string' && /^sha256:[0-9a-f]{64}$/.test(value),
  { message: 'expected sha256: and 64 lower-case hex digits' },
);
