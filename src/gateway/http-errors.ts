import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type ErrorCode, errorTable, RefusedError, TransientError } from '../core/errors/index.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** With what it was refused. */
    refusedAs: ErrorCode | undefined;
  }
}

/** How every failed request is answered; `error` is what the Open Inference Protocol asks for. */
export interface ErrorBody {
  readonly error: string;
  /** A row of the errors table, or `internal`. */
  readonly code: ErrorCode | 'internal';
  readonly hint: string;
  /** Every problem, when there are several. */
  readonly details?: readonly string[];
  /** Finds the request in this server's log. */
  readonly request: string;
}

/** Answers every failure in one shape. What a client did not cause is logged, and it learns nothing of it. */
export function answerErrors(app: FastifyInstance): void {
  app.decorateRequest('refusedAs', undefined);
  app.setErrorHandler((error: FastifyError, request, reply) => answerError(error, request, reply));
  app.setNotFoundHandler((request, reply) =>
    answerError(new RefusedError('route-unknown', 'no such route'), request, reply),
  );
}

/** Answers one failure: a refusal as the errors table has it, anything else without saying what it was. */
export function answerError(error: Error, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const refused = refusalOf(error);
  if (refused === undefined) {
    request.log.error({ err: error }, 'request failed');
    const body: ErrorBody = {
      error: 'internal error',
      code: 'internal',
      hint: 'Give the request id to the operator.',
      request: request.id,
    };
    return reply.code(500).send(body);
  }
  const { status } = refused.entry;
  request.refusedAs = refused.code;
  if (error instanceof TransientError) request.log.error({ err: error }, 'request failed');
  if (status === 401) reply.header('www-authenticate', 'Bearer');
  if (status === 503) reply.header('retry-after', '1');
  const body: ErrorBody = {
    error: refused.message,
    code: refused.code,
    hint: refused.hint,
    ...(refused.details.length === 0 ? {} : { details: refused.details }),
    request: request.id,
  };
  // Codes and no messages: those quote what the client sent.
  const { code: reason } = (refused.cause ?? {}) as { readonly code?: unknown };
  request.log.info({ code: refused.code, reason }, 'request refused');
  return reply.code(status).send(body);
}

/** @returns undefined for what is nobody's decision: a bug */
function refusalOf(error: Error): RefusedError | undefined {
  if (error instanceof RefusedError) return error;
  if (error instanceof TransientError)
    return new RefusedError('unavailable', 'what answers the request is not available');
  const { code, statusCode } = error as Partial<FastifyError>;
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE')
    return new RefusedError('body-too-large', 'the body is too large');
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
    return new RefusedError('media-type-unsupported', 'expected JSON');
  }
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return new RefusedError('request-invalid', 'the request is malformed');
  }
  return undefined;
}

/** How a connection is answered that made no request that could be read. */
export function unreadableAnswer(
  code: string | undefined,
  request: string,
): { readonly status: number; readonly body: ErrorBody } {
  const { hint } = errorTable['request-invalid'];
  const answer = (status: number, error: string) => ({
    status,
    body: { error, code: 'request-invalid', hint, request } as const,
  });
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return answer(408, 'the request did not end in time');
  if (code === 'HPE_HEADER_OVERFLOW') return answer(431, 'the headers are too large');
  return answer(400, 'expected an HTTP request');
}
