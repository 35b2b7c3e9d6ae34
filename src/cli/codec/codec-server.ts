import type { PayloadCodec } from '@temporalio/common';
import { temporal } from '@temporalio/proto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { RefusedError } from '../../core/errors/index.js';
import { authenticate, type TrustedIssuer } from '../../core/serving/index.js';

const { Payload } = temporal.api.common.v1;

const base64 = z.string().regex(/^[A-Za-z0-9+/_=-]*$/);
const bodySchema = z.object({
  payloads: z
    .array(z.object({ metadata: z.record(z.string(), base64).optional(), data: base64.optional() }))
    .max(10_000),
});

export interface CodecServerParts {
  readonly codec: PayloadCodec;
  /** The web page that may ask, to the letter: the address of the Temporal UI. */
  readonly origin: string;
  /** Whose tokens let somebody read; where it is absent, whoever reaches the server may: bind it to loopback. */
  readonly issuers?: (() => readonly TrustedIssuer[]) | undefined;
  readonly now: () => Date;
}

/**
 * Answers as codec servers of Temporal do: `POST /decode` and `POST /encode` take and give payloads as JSON, so that the Temporal UI and CLI
 * show what is sealed to those who may see it. Nothing is logged of what passes.
 *
 * Source: https://docs.temporal.io/codec-server.
 */
export function codecRoutes(app: FastifyInstance, { codec, origin, issuers, now }: CodecServerParts): void {
  app.addHook('onRequest', async (request, reply) => {
    const { origin: asking, authorization } = request.headers;
    // A browser says from which page it asks; programs say nothing.
    if (asking !== undefined && asking !== origin)
      throw new RefusedError('forbidden', 'expected a request of the Temporal UI');
    if (issuers === undefined) requireLoopbackName(request);
    reply.headers({
      'access-control-allow-origin': origin,
      'access-control-allow-headers': 'content-type,x-namespace,authorization',
      'cross-origin-resource-policy': 'cross-origin',
      vary: 'origin',
    });
    if (request.method !== 'OPTIONS' && issuers !== undefined)
      await authenticate({ clients: [], issuers: issuers() }, { authorization }, now());
  });
  for (const [path, convert] of [
    ['/decode', codec.decode.bind(codec)],
    ['/encode', codec.encode.bind(codec)],
  ] as const) {
    app.options(path, (_request, reply) => reply.code(204).send());
    app.post(path, async (request) => {
      const body = bodySchema.safeParse(request.body);
      if (!body.success) throw new RefusedError('request-invalid', 'expected { payloads: […] } of Temporal');
      const payloads = await convert(body.data.payloads.map((payload) => Payload.fromObject(payload)));
      return {
        payloads: payloads.map((payload) => Payload.toObject(Payload.fromObject(payload), { bytes: String })),
      };
    });
  }
}

/** A page of somebody else can reach loopback under a name of its own (DNS rebinding), and cannot choose the Host header. */
function requireLoopbackName({ hostname }: FastifyRequest): void {
  if (!['127.0.0.1', 'localhost', '[::1]'].includes(hostname))
    throw new RefusedError('forbidden', 'expected a loopback address in the Host header');
}
