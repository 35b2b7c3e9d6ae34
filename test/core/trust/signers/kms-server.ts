import { createECDH, createPublicKey, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface KmsServer {
  readonly endpoint: string;
  readonly publicKey: string;
  /** What was asked, newest last. */
  readonly requests: readonly { readonly action: string; readonly body: Record<string, unknown> }[];
  /** Answers every further request with this error of KMS. */
  fail(type: string, status: number): void;
  close(): Promise<void>;
}

/**
 * The two actions of AWS KMS that signing needs, in its JSON 1.1 protocol, with a real key behind them. It is not KMS:
 * requests are not authenticated, and only what these actions do with a `DIGEST` is done.
 */
export async function startKms(namedCurve: string): Promise<KmsServer> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve });
  const publicKey = createPublicKey(privateKey);
  const requests: { action: string; body: Record<string, unknown> }[] = [];
  let failure: { type: string; status: number } | undefined;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const action = String(request.headers['x-amz-target']).replace('TrentService.', '');
      const body = JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>;
      requests.push({ action, body });
      const answer = (status: number, content: unknown) => {
        response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' });
        response.end(JSON.stringify(content));
      };
      if (failure) return answer(failure.status, { __type: failure.type, message: 'no' });
      if (action === 'GetPublicKey') {
        const der = publicKey.export({ type: 'spki', format: 'der' });
        return answer(200, { KeyId: body.KeyId, PublicKey: der.toString('base64'), KeyUsage: 'SIGN_VERIFY' });
      }
      // What KMS signs is the digest itself: DER over (r, s) of the hash that it is given.
      const digest = Buffer.from(String(body.Message), 'base64');
      const signature = signDigest(namedCurve, privateKey, digest);
      return answer(200, { KeyId: body.KeyId, Signature: signature.toString('base64') });
    });
  });

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    requests,
    fail(type, status) {
      failure = { type, status };
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** Order of each curve's base point (SEC 2, sections 2.4.2, 2.5.1 and 2.6.1), and the length of its scalars in bytes. */
const groups: Readonly<
  Record<string, { readonly curve: string; readonly order: bigint; readonly bytes: number }>
> = {
  'P-256': {
    curve: 'prime256v1',
    order: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
    bytes: 32,
  },
  'P-384': {
    curve: 'secp384r1',
    order:
      0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
    bytes: 48,
  },
  'P-521': {
    curve: 'secp521r1',
    order:
      0x01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409n,
    bytes: 66,
  },
};

/** ECDSA over a hash that is taken already (SEC 1, section 4.1.3), DER: Node signs messages only, and hashes them itself. */
function signDigest(namedCurve: string, key: KeyObject, digest: Buffer): Buffer {
  const { curve, order, bytes } = groups[namedCurve]!;
  const secret = toInteger(Buffer.from(key.export({ format: 'jwk' }).d!, 'base64url'));
  const nonce = (toInteger(randomBytes(bytes + 8)) % (order - 1n)) + 1n;
  const ecdh = createECDH(curve);
  ecdh.setPrivateKey(Buffer.from(nonce.toString(16).padStart(2 * bytes, '0'), 'hex'));
  const r = toInteger(ecdh.getPublicKey().subarray(1, 1 + bytes)) % order;
  const s = (inverse(nonce, order) * (toInteger(digest) + r * secret)) % order;
  const content = Buffer.concat([derInteger(r), derInteger(s)]);
  const length = content.length < 128 ? [content.length] : [0x81, content.length];
  return Buffer.concat([Buffer.from([0x30, ...length]), content]);
}

function toInteger(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
}

/** By Fermat's little theorem: the order is prime. */
function inverse(value: bigint, order: bigint): bigint {
  let result = 1n;
  for (let base = value % order, power = order - 2n; power > 0n; power >>= 1n) {
    if (power & 1n) result = (result * base) % order;
    base = (base * base) % order;
  }
  return result;
}

function derInteger(value: bigint): Buffer {
  const hex = value.toString(16);
  const bytes = Buffer.from(hex.length % 2 === 1 ? `0${hex}` : hex, 'hex');
  const positive = bytes[0]! >= 0x80 ? Buffer.concat([Buffer.from([0]), bytes]) : bytes;
  return Buffer.concat([Buffer.from([0x02, positive.length]), positive]);
}
