import { METADATA_ENCODING_KEY, type Payload, type PayloadCodec } from '@temporalio/common';
import { temporal } from '@temporalio/proto';
import { RefusedError } from '../../core/errors/index.js';
import type { KeyRing } from '../../core/secrets/index.js';

const { Payload: PayloadMessage } = temporal.api.common.v1;

/** Names what Temporal keeps; the same as in the samples of Temporal's SDKs, so that their tools know it. */
const encoding = 'binary/encrypted';
const keyIdKey = 'encryption-key-id';

/**
 * Seals everything that Temporal keeps of a run (inputs, results, heartbeats, memos, failures) on its way out of a process, and opens
 * it on its way in. Search attributes, ids and types stay in clear: the server works with them.
 *
 * @param ring - without one, everything goes out plain, and what is sealed is refused
 * @param acceptPlain - whether payloads that nobody sealed are read as they are: those from before there was a key. Whoever can write
 * to the server can then still write plain ones, as they could before.
 */
export function payloadCodec(ring: KeyRing | undefined, acceptPlain: boolean): PayloadCodec {
  return {
    async encode(payloads) {
      if (ring === undefined) return payloads;
      return payloads.map((payload): Payload => {
        const { keyId, bytes } = ring.seal(PayloadMessage.encode(payload).finish());
        return {
          metadata: { [METADATA_ENCODING_KEY]: utf8(encoding), [keyIdKey]: utf8(keyId) },
          data: bytes,
        };
      });
    },
    async decode(payloads) {
      return payloads.map((payload): Payload => {
        const { metadata, data } = payload;
        const isSealed = textIn(metadata?.[METADATA_ENCODING_KEY]) === encoding;
        const keyId = metadata?.[keyIdKey];
        if (!isSealed) {
          // One that names a key was sealed once: under another encoding, its ciphertext would pass for data.
          if (acceptPlain && keyId === undefined) return payload;
          throw new RefusedError('payload-tampered', 'expected a sealed payload, got a plain one');
        }
        if (ring === undefined)
          throw new RefusedError(
            'payload-sealed',
            'what the server holds is sealed, and ASSAY_PAYLOAD_KEYS is not set',
          );
        const opened = ring.open({ keyId: textIn(keyId), bytes: data ?? new Uint8Array() });
        return PayloadMessage.decode(opened) as Payload;
      });
    },
  };
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function textIn(bytes: Uint8Array | null | undefined): string {
  return bytes ? new TextDecoder().decode(bytes) : '';
}
