import path from 'node:path';
import type { DataConverter, PayloadCodec } from '@temporalio/common';
import { readKeyRing } from '../../core/secrets/index.js';
import { payloadCodec } from './payload-codec.js';

/** What workers and clients of one namespace must agree on. */
export interface PayloadSealing {
  readonly dataConverter: DataConverter;
  /** Of the data converter. */
  readonly codec: PayloadCodec;
  /** For the bundle of the workflow code; absent where nothing is sealed. */
  readonly failureConverterPath?: string;
}

const compiled = path.resolve(__dirname, __filename.endsWith('.ts') ? '../../../dist/workers/payloads' : '.');

/**
 * Reads from the environment how payloads are sealed: `ASSAY_PAYLOAD_KEYS` is a key ring (see `readKeyRing`), and
 * `ASSAY_PAYLOADS_SEALED=required` refuses those that nobody sealed.
 *
 * Without keys payloads go out plain.
 *
 * @throws RefusedError `payload-keys-invalid`, `secret-missing`; TransientError
 */
export async function payloadSealing(env: Readonly<NodeJS.ProcessEnv>): Promise<PayloadSealing> {
  const { ASSAY_PAYLOAD_KEYS: keys, ASSAY_PAYLOADS_SEALED: sealed } = env;
  if (!keys) {
    const codec = payloadCodec(undefined, true);
    return { codec, dataConverter: { payloadCodecs: [codec] } };
  }
  const failureConverterPath = path.join(compiled, 'failure-converter.js');
  const codec = payloadCodec(await readKeyRing(keys), sealed !== 'required');
  return { codec, failureConverterPath, dataConverter: { payloadCodecs: [codec], failureConverterPath } };
}
