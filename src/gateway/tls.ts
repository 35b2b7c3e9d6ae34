import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { createSecureContext, type SecureContextOptions, type Server, TLSSocket } from 'node:tls';
import type { Logger } from 'pino';
import { RefusedError } from '../core/errors/index.js';

/** The files of a server's certificate, PEM. */
export interface TlsFiles {
  /** The certificate, then its issuers. */
  readonly certificate: string;
  readonly key: string;
  /** Who may issue certificates of clients; clients need none where it is absent. */
  readonly clientAuthority?: string | undefined;
}

/** How a gateway proves who it is, and learns who its clients are. */
export interface Tls {
  /** For new connections. */
  readonly options: () => SecureContextOptions;
  readonly asksClients: boolean;
  /** Reads the files again, and has new connections use them. Never rejects: files that are broken or half written change nothing. */
  readonly refresh: (server: Server) => Promise<void>;
}

/**
 * Reads the files, and follows them: certificates that live for a day are renewed without a restart.
 *
 * @throws RefusedError `tls-invalid` when they cannot be used at the start
 */
export async function followTls(files: TlsFiles, log: Logger): Promise<Tls> {
  let current = await read(files);
  let failing = false;
  return {
    options: () => current,
    asksClients: files.clientAuthority !== undefined,
    async refresh(server) {
      try {
        const next = await read(files);
        failing = false;
        if (next.cert === current.cert && next.key === current.key && next.ca === current.ca) return;
        server.setSecureContext(next);
        current = next;
        log.info({ validTo: new X509Certificate(next.cert).validTo }, 'certificate read again');
      } catch (error) {
        if (!failing) log.error({ err: error }, 'the certificate files cannot be used: it stays as it was');
        failing = true;
      }
    },
  };
}

interface TlsContent extends SecureContextOptions {
  readonly cert: string;
  readonly key: string;
  readonly ca?: string;
}

async function read({ certificate, key, clientAuthority }: TlsFiles): Promise<TlsContent> {
  try {
    const [cert, secret, ca] = await Promise.all(
      [certificate, key, clientAuthority].map((file) => (file === undefined ? '' : readFile(file, 'utf8'))),
    );
    const content = { cert: cert!, key: secret!, ...(ca && { ca }), minVersion: 'TLSv1.2' as const };
    createSecureContext(content);
    // As between the two writes of a renewal.
    if (!new X509Certificate(content.cert).checkPrivateKey(createPrivateKey(content.key)))
      throw new Error('the key is another certificate’s');
    return content;
  } catch (error) {
    const files = [certificate, key, clientAuthority].filter((file) => file !== undefined).join(', ');
    throw new RefusedError('tls-invalid', `expected a certificate and its key in PEM in ${files}`, [], {
      cause: error,
    });
  }
}

/** SHA-256 of the certificate that a client proved to hold, hex; undefined without one that an authority vouches for. */
export function clientCertificateOf(socket: Socket): string | undefined {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined;
  const { fingerprint256 } = socket.getPeerCertificate();
  return fingerprint256?.replaceAll(':', '').toLowerCase();
}
