import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import type { FastifyInstance } from 'fastify';
import pino from 'pino';
import { httpServer } from '../../src/gateway/http-server.js';

let app: FastifyInstance;
let port: number;
beforeEach(async () => {
  app = httpServer(pino({ level: 'silent' }), 1024);
  app.post('/', () => ({}));
  await app.listen({ host: '127.0.0.1', port: 0 });
  port = (app.server.address() as AddressInfo).port;
});
afterEach(() => app.close());

/** Sends bytes and reads until the server closes. */
async function exchange(...parts: readonly string[]): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let answer = '';
  socket.setEncoding('utf8').on('data', (text) => {
    answer += text;
  });
  socket.on('error', () => undefined);
  for (const part of parts) socket.write(part);
  await once(socket, 'close');
  return answer;
}

it.each([
  ['what is not HTTP', ['EHLO gateway\r\n\r\n'], 400],
  [
    'a request with two lengths',
    ['POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    400,
  ],
  ['headers without end', [`POST / HTTP/1.1\r\nX: ${'x'.repeat(100_000)}`], 431],
])('answers %s in the shape of every error, and hangs up', async (_, parts, status) => {
  const [head, body] = (await exchange(...parts)).split('\r\n\r\n');
  expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  expect(head).toMatch(/^x-content-type-options: nosniff$/m);
  expect(JSON.parse(body!)).toEqual({
    error: expect.any(String),
    code: 'request-invalid',
    hint: expect.any(String),
    request: expect.any(String),
  });
});

it('hangs up on a body that trickles in, and not only on headers that do', async () => {
  // Measured with Node 20: a body is under the limit of requests only where that of headers is no longer. Waiting for
  // it would take half a minute.
  const { server } = app;
  expect(server.headersTimeout).toBe(server.requestTimeout);
  expect(server.requestTimeout).toBe(30_000);
});
