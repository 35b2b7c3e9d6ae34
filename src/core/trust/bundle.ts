import { z } from 'zod';
import { RefusedError } from '../errors/index.js';
import { parseStrictJson } from './strict-json.js';

export const bundleMediaType = 'application/vnd.dev.sigstore.bundle.v0.3+json';

/** Buffer ignores what is not base64, and the spare bits of the last digit: one value would have many texts. */
const base64Schema = z.string().refine((text) => Buffer.from(text, 'base64').toString('base64') === text, {
  message: 'expected canonical base64',
});

const certificateSchema = z.strictObject({ rawBytes: base64Schema });
const noEntries = z.array(z.never()).optional();

/** How a bundle says who signed. What a kind of signer does not use is refused, rather than ignored, in its bundles. */
const materialSchema = z.union([
  z.strictObject({
    publicKey: z.strictObject({ hint: z.string().regex(/^[0-9a-f]{64}$/) }),
    tlogEntries: noEntries,
  }),
  z.strictObject({
    x509CertificateChain: z.strictObject({ certificates: z.array(certificateSchema).min(1).max(8) }),
    tlogEntries: noEntries,
  }),
  z.strictObject({
    certificate: certificateSchema,
    tlogEntries: z.array(z.looseObject({})).max(8),
    timestampVerificationData: z.looseObject({}).optional(),
  }),
]);

const bundleSchema = z.strictObject({
  mediaType: z.literal(bundleMediaType),
  verificationMaterial: materialSchema,
  dsseEnvelope: z.strictObject({
    payloadType: z.string(),
    payload: base64Schema,
    signatures: z.array(z.strictObject({ sig: base64Schema, keyid: z.string().optional() })),
  }),
});

/** A Sigstore bundle v0.3 with a DSSE envelope, as JSON. */
export type Bundle = z.infer<typeof bundleSchema>;

/** @throws RefusedError `bundle-invalid` */
export function parseBundle(bytes: Uint8Array): Bundle {
  let json: unknown;
  try {
    json = parseStrictJson(bytes);
  } catch (error) {
    throw new RefusedError('bundle-invalid', `expected a JSON bundle: ${(error as Error).message}`);
  }
  const parsed = bundleSchema.safeParse(json);
  if (!parsed.success) {
    throw new RefusedError('bundle-invalid', `expected a bundle: ${z.prettifyError(parsed.error)}`);
  }
  return parsed.data;
}
