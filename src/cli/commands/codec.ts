import type { Command } from 'commander';
import pino from 'pino';
import { RefusedError } from '../../core/errors/index.js';
import { httpServer } from '../../gateway/http-server.js';
import { followTls } from '../../gateway/tls.js';
import { followTokenIssuers } from '../../gateway/token-issuers.js';
import { codecRoutes } from '../codec/codec-server.js';
import type { CliContext } from '../context.js';
import { integerBetween } from '../integer-option.js';

interface CodecOptions {
  readonly origin: string;
  readonly host: string;
  readonly port: number;
  readonly tokenIssuers?: string;
  readonly tlsCertificate?: string;
  readonly tlsKey?: string;
  readonly stopWithParent?: boolean;
}

const mostBytes = 32 * 2 ** 20;
const followMs = 5_000;

/** `assay codec`: what lets the Temporal UI and CLI show sealed payloads. */
export function registerCodec(program: Command, context: () => CliContext): void {
  program
    .command('codec')
    .description('open sealed payloads for the Temporal UI and CLI, with the keys of ASSAY_PAYLOAD_KEYS')
    .requiredOption('--origin <url>', 'address of the Temporal UI, the only web page that may ask')
    .option('--host <host>', 'address to listen on', '127.0.0.1')
    .option('--port <n>', 'port to listen on', integerBetween(0, 65_535), 8888)
    .option(
      '--token-issuers <file>',
      'whose tokens let somebody read; needed on other than loopback addresses',
    )
    .option('--tls-certificate <file>', 'certificate, PEM')
    .option('--tls-key <file>', 'its key, PEM')
    .option('--stop-with-parent', 'end when stdin does')
    .action(async (options: CodecOptions) => {
      const cli = context();
      const { origin, host, port, tokenIssuers, tlsCertificate, tlsKey } = options;
      if (tokenIssuers === undefined && !['127.0.0.1', 'localhost', '::1'].includes(host))
        throw new RefusedError('usage', `--token-issuers is needed to listen on ${host}: anyone could read.`);
      if ((tlsCertificate === undefined) !== (tlsKey === undefined))
        throw new RefusedError('usage', 'Expected --tls-certificate and --tls-key together.');
      const { payloadSealing } = await import('../../workers/payloads/data-converter.js');
      if (!process.env.ASSAY_PAYLOAD_KEYS)
        throw new RefusedError('payload-keys-invalid', 'ASSAY_PAYLOAD_KEYS is not set.');
      const { codec } = await payloadSealing(process.env);
      const log = pino({ name: 'codec' }, pino.destination(2));
      const issuers = tokenIssuers === undefined ? undefined : await followTokenIssuers(tokenIssuers, log);
      const tls =
        tlsCertificate && tlsKey
          ? await followTls({ certificate: tlsCertificate, key: tlsKey }, log)
          : undefined;
      const app = httpServer(log, mostBytes, tls);
      codecRoutes(app, {
        codec,
        origin: new URL(origin).origin,
        issuers: issuers?.current,
        now: () => new Date(),
      });
      if (issuers) setInterval(() => void issuers.refresh(), followMs).unref();
      const address = await app.listen({ host, port });
      cli.say(`Opens payloads at ${address} for ${origin}. Ctrl-C ends it.`);
      cli.emit({ address });
      await new Promise<void>((resolve) => {
        for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
        if (options.stopWithParent) process.stdin.on('end', () => resolve()).resume();
      });
      await app.close();
    });
}
