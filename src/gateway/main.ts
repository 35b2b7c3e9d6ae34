import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import pino from 'pino';
import { RefusedError } from '../core/errors/index.js';
import { openSession, probeModel } from '../core/onnx/index.js';
import { resolveSecret } from '../core/secrets/index.js';
import { openStore } from '../core/store/index.js';
import { readTrustPolicy, verifyRelease } from '../core/trust/index.js';
import type { VerifyRelease } from './admission.js';
import { gatewayArguments } from './arguments.js';
import { believedPolicy } from './believed-policy.js';
import { buildGateway, defaultLimits } from './gateway.js';
import { marksInFile, marksInMemory } from './revision-marks.js';
import { followTls } from './tls.js';
import { followTokenIssuers } from './token-issuers.js';

/** Requests in flight get this long to end after SIGTERM; Kubernetes kills after 30 s. */
const drainMs = 20_000;

/** The gateway process: prints one JSON line with its addresses once it listens, and drains on SIGTERM. */
async function main(args: readonly string[]): Promise<void> {
  const {
    store: url,
    trust,
    clients,
    state,
    noiseSecret,
    tokenIssuers,
    tls,
    selection,
    host,
    port,
    adminPort,
    pollMs,
    batch,
    stopWithParent,
  } = gatewayArguments(args);
  const log = pino({ name: 'gateway' }, pino.destination(2));
  const store = await openStore(url);
  readTrustPolicy(await readFile(trust, 'utf8'));
  const memory = state === undefined ? undefined : `${state}.trust`;
  // Read for each release, so that a new key is believed, and a revoked one is not, without a restart.
  const verify: VerifyRelease = async (release, expected) => {
    const at = new Date();
    return verifyRelease(store, await believedPolicy(store, trust, memory, at), release, { ...expected, at });
  };
  if (noiseSecret === undefined)
    log.warn('without --noise-secret each gateway draws noise of its own: asking many averages it out');
  if (state === undefined) log.warn('without --state a restart forgets which revisions were accepted');
  const gateway = await buildGateway({
    store,
    verify,
    openModel: async (onnx) => {
      await probeModel(onnx);
      return openSession(onnx, { place: 'thread' });
    },
    marks: state === undefined ? marksInMemory() : await marksInFile(state),
    selection,
    tls: tls && (await followTls(tls, log)),
    issuers: tokenIssuers === undefined ? undefined : await followTokenIssuers(tokenIssuers, log),
    readClientsText: () => readFile(clients, 'utf8'),
    now: () => new Date(),
    log,
    limits: { ...defaultLimits, runner: { ...defaultLimits.runner, batch } },
    noiseSecret:
      noiseSecret === undefined ? randomBytes(32).toString('hex') : await resolveSecret(noiseSecret),
  });

  const stopping = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stopping.abort());
  if (stopWithParent) process.stdin.on('end', () => stopping.abort()).resume();
  const address = await gateway.predictions.listen({ host, port });
  const admin = await gateway.admin.listen({ host: '127.0.0.1', port: adminPort });
  process.stdout.write(`${JSON.stringify({ address, admin })}\n`);

  while (!stopping.signal.aborted) {
    // Not awaited: one endpoint that loads for long must not keep the others from following their refs.
    void gateway.poll();
    await sleep(pollMs, undefined, { signal: stopping.signal }).catch(() => undefined);
  }
  log.info('draining');
  setTimeout(() => {
    log.error({ drainMs }, 'requests are still in flight: leaving them');
    process.exit(1);
  }, drainMs).unref();
  await gateway.drain();
  log.info('drained');
}

main(process.argv.slice(2)).catch((error: unknown) => {
  const lines =
    error instanceof RefusedError ? [error.message, ...error.details, error.hint] : [String(error)];
  process.stderr.write(`${lines.join('\n')}\n`);
  process.exit(error instanceof RefusedError ? error.entry.exit : 1);
});
