import { parseArgs } from 'node:util';
import { RefusedError } from '../core/errors/index.js';
import { nameSchema } from '../core/spec/index.js';
import type { EndpointSelection } from './served-endpoints.js';
import type { TlsFiles } from './tls.js';

/** How a gateway process is started. */
export interface GatewayArguments {
  /** URL of the store. */
  readonly store: string;
  /** File of the trust policy. */
  readonly trust: string;
  /** File of the clients that hold keys. */
  readonly clients: string;
  /** File that remembers the newest revisions across restarts. */
  readonly state: string | undefined;
  /** Reference to a secret that all gateways of an endpoint share, so that their noise is the same. */
  readonly noiseSecret: string | undefined;
  /** File of the issuers whose tokens say who a client is. */
  readonly tokenIssuers: string | undefined;
  /** Without it, the gateway speaks HTTP, and something before it must speak TLS. */
  readonly tls: TlsFiles | undefined;
  readonly selection: EndpointSelection;
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly adminPort: number;
  readonly pollMs: number;
  /** Samples of requests that wait together which a model is given at once. */
  readonly batch: number;
  /** End when stdin does: whoever holds its other end is gone, however that happened. */
  readonly stopWithParent: boolean;
}

export const usage =
  'usage: gateway --store URL --trust FILE --clients FILE [--state FILE] [--noise-secret REFERENCE] ' +
  '[--token-issuers FILE] [--tls-certificate FILE --tls-key FILE [--client-ca FILE]] ' +
  '[--endpoints all|NAME,…] [--host 127.0.0.1] [--port 8080] [--admin-port 0] [--poll-ms 500] [--batch 1] [--stop-with-parent]';

/** @throws RefusedError `usage` listing everything that is missing or wrong */
export function gatewayArguments(args: readonly string[]): GatewayArguments {
  const values = parse(args);
  const problems: string[] = [];
  const required = (name: 'store' | 'trust' | 'clients'): string => {
    const value = values[name];
    if (value === undefined) problems.push(`expected --${name}`);
    return value ?? '';
  };
  const integer = (
    name: 'port' | 'admin-port' | 'poll-ms' | 'batch',
    minimum: number,
    maximum: number,
  ): number => {
    const text = values[name];
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < minimum || value > maximum) {
      problems.push(`--${name}: expected an integer in [${minimum}, ${maximum}], got ${text}`);
    }
    return value;
  };
  const parsed: GatewayArguments = {
    store: required('store'),
    trust: required('trust'),
    clients: required('clients'),
    state: values.state,
    noiseSecret: values['noise-secret'],
    tokenIssuers: values['token-issuers'],
    tls: readTls(values, problems),
    selection: readSelection(values.endpoints, problems),
    host: values.host,
    port: integer('port', 0, 65_535),
    adminPort: integer('admin-port', 0, 65_535),
    pollMs: integer('poll-ms', 10, 3_600_000),
    batch: integer('batch', 1, 4096),
    stopWithParent: values['stop-with-parent'],
  };
  if (problems.length > 0) throw new RefusedError('usage', usage, problems);
  return parsed;
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      strict: true,
      options: {
        store: { type: 'string' },
        trust: { type: 'string' },
        clients: { type: 'string' },
        state: { type: 'string' },
        'noise-secret': { type: 'string' },
        'token-issuers': { type: 'string' },
        'tls-certificate': { type: 'string' },
        'tls-key': { type: 'string' },
        'client-ca': { type: 'string' },
        endpoints: { type: 'string', default: 'all' },
        host: { type: 'string', default: '127.0.0.1' },
        port: { type: 'string', default: '8080' },
        'admin-port': { type: 'string', default: '0' },
        'poll-ms': { type: 'string', default: '500' },
        batch: { type: 'string', default: '1' },
        'stop-with-parent': { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    throw new RefusedError('usage', usage, [error instanceof Error ? error.message : String(error)]);
  }
}

function readTls(
  {
    'tls-certificate': certificate,
    'tls-key': key,
    'client-ca': clientAuthority,
  }: { readonly 'tls-certificate'?: string; readonly 'tls-key'?: string; readonly 'client-ca'?: string },
  problems: string[],
): TlsFiles | undefined {
  if (certificate !== undefined && key !== undefined) return { certificate, key, clientAuthority };
  if (certificate !== undefined || key !== undefined || clientAuthority !== undefined)
    problems.push('expected --tls-certificate and --tls-key together, or no TLS at all');
  return undefined;
}

function readSelection(text: string, problems: string[]): EndpointSelection {
  if (text === 'all') return 'all';
  const names = text.split(',');
  for (const name of names) {
    if (!nameSchema.safeParse(name).success) {
      problems.push(`--endpoints: expected names separated by commas, got ${JSON.stringify(name)}`);
    }
  }
  return names;
}
