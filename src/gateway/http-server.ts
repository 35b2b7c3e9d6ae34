import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { Server } from 'node:https';
import type { Socket } from 'node:net';
import fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyServerOptions,
  LogController,
} from 'fastify';
import type { Logger } from 'pino';
import { answerError, answerErrors, unreadableAnswer } from './http-errors.js';
import type { Tls } from './tls.js';

/** A request, however slowly it trickles in, holds a connection for this long at most, and a few seconds. */
const requestMs = 30_000;

const timeouts = {
  // Node forgets the limit on a request whose headers are in, unless that on headers is no longer.
  headersTimeout: requestMs,
  requestTimeout: requestMs,
  connectionsCheckingInterval: 5_000,
} as const;

const securityHeaders = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
} as const;

/**
 * A server that answers JSON only, in one shape of errors, and logs who asked what and how it ended, never what was
 * sent: no body, no header, no query.
 */
export function httpServer(log: Logger, bodyBytes: number, tls?: Tls): FastifyInstance {
  const app = open(tls, {
    loggerInstance: log as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: bodyBytes,
    // Ids are ours: one that a client chose could be another client's.
    genReqId: () => randomUUID(),
    requestTimeout: requestMs,
    clientErrorHandler: answerUnreadable,
    // Draining answers what still arrives on open connections, and closes them one by one.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    // What Fastify refuses before a route is found, such as a URL that does not decode.
    frameworkErrors: (error, request, reply) =>
      void answerError(error, request, reply.headers(securityHeaders)),
  });
  app.removeContentTypeParser('text/plain');
  answerErrors(app);
  app.addHook('onRequest', async (request, reply) => {
    reply.headers({ ...securityHeaders, 'x-request-id': request.id });
  });
  let closing = false;
  app.addHook('preClose', async () => {
    closing = true;
  });
  app.addHook('onSend', async (_request, reply) => {
    // Else the client keeps the connection, and closing waits for it.
    if (closing) reply.header('connection', 'close');
  });
  app.addHook('onResponse', async (request, reply) => {
    request.log.info(
      {
        client: request.apiClient?.name,
        method: request.method,
        route: request.routeOptions.url,
        status: reply.statusCode,
        revision: request.answeredBy,
        ms: Math.round(reply.elapsedTime * 10) / 10,
      },
      'answered',
    );
  });
  return app;
}

/** Clients without a certificate are let in: who they are is for their keys to say. */
function open(
  tls: Tls | undefined,
  options: Omit<FastifyServerOptions, 'serverFactory' | 'logger'>,
): FastifyInstance {
  if (tls === undefined) return fastify({ ...options, http: timeouts });
  const https = { ...tls.options(), ...timeouts, requestCert: tls.asksClients, rejectUnauthorized: false };
  // Its types tell a server that speaks TLS from one that does not, which nobody here needs to know.
  return fastify({ ...(options as FastifyServerOptions<Server>), https }) as unknown as FastifyInstance;
}

/** Answers what is no HTTP request, or none that ended in time: there is a socket, and nothing else. */
function answerUnreadable(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  if (socket.writable) {
    const { status, body } = unreadableAnswer(error.code, randomUUID());
    const text = JSON.stringify(body);
    const headers = {
      ...securityHeaders,
      'content-type': 'application/json; charset=utf-8',
      'content-length': Buffer.byteLength(text),
      connection: 'close',
    };
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${text}`);
  }
  socket.destroy(error);
}
