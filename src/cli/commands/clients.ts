import { randomBytes, X509Certificate } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { RefusedError } from '../../core/errors/index.js';
import { type ApiClient, generateApiKey, readClients } from '../../core/serving/index.js';
import { defaultScope, nameSchema } from '../../core/spec/index.js';
import type { CliContext } from '../context.js';
import { type StatePaths, writeFileWhole } from '../state.js';

const day = 86_400_000;

interface ClientOptions {
  readonly endpoint?: readonly string[];
  readonly scope?: string;
  readonly certificate?: readonly string[];
  readonly subject?: readonly string[];
  readonly anonymous?: true;
  readonly withKey?: boolean;
}

/** `assay keys client …`: who may ask a gateway for predictions. */
export function clientCommands(keys: Command, context: () => CliContext): void {
  const client = keys.command('client').description('keys of the prediction API');
  client
    .command('add')
    .description('make a key; it is shown once and stored as a hash')
    .argument('<name>', 'who will use it')
    .option('--endpoint <name...>', 'endpoints it may ask; default: all')
    .option(
      '--scope <name>',
      `what endpoints reveal to it: a scope of their lifecycle; default: ${defaultScope}`,
    )
    .option('--certificate <file...>', 'know it by its TLS certificate, PEM, instead of by a key')
    .option('--subject <issuer=subject...>', 'know it by tokens of an issuer that the gateway trusts')
    .option('--anonymous', 'whoever shows no credentials at all; they share its budget')
    .option('--with-key', 'with --certificate: ask for a key as well, of no use without the certificate')
    .action((name: string, options: ClientOptions) => {
      const { endpoint, scope, certificate = [], subject = [], anonymous, withKey } = options;
      const cli = context();
      const isKeyed = (certificate.length + subject.length === 0 && !anonymous) || withKey === true;
      const made = isKeyed ? generateApiKey(new Date(), randomBytes) : undefined;
      addClient(cli.paths, {
        name,
        keys: made ? [made.record] : [],
        certificates: certificate.map(fingerprintOf),
        subjects: subject.map(subjectIn),
        ...(anonymous && { anonymous }),
        endpoints: endpoint ? [...endpoint] : '*',
        ...(scope && { scope }),
      });
      if (made) showKey(cli, name, made.key);
      else if (anonymous) cli.say(`Whoever shows no credentials is ${name}.`);
      else cli.say(`${name} is known by its ${certificate.length > 0 ? 'certificate' : 'token'}.`);
      cli.emit({ name, ...(made && { key: made.key }) });
    });
  client
    .command('rotate')
    .description('make another key of a client, and let the old ones run out')
    .argument('<name>', 'whose')
    .option('--overlap <hours>', 'how long the old keys go on working', '24')
    .action((name: string, { overlap }: { overlap: string }) => {
      const cli = context();
      const hours = Number(overlap);
      if (!(hours >= 0 && hours <= 8760)) {
        throw new RefusedError('usage', `--overlap: expected hours from 0 to 8760, got ${overlap}`);
      }
      const key = rotateKey(cli.paths, name, new Date(), (hours * day) / 24);
      showKey(cli, name, key);
      cli.emit({ name, key });
    });
  client
    .command('remove')
    .description('forget a client with all its keys: gateways turn it away within a poll')
    .argument('<name>', 'whom')
    .action((name: string) => {
      const cli = context();
      const { others } = clientNamed(cli.paths, name);
      write(cli.paths, others);
      cli.say(`${name} is a client no more.`);
      cli.emit({ name });
    });
  client
    .command('list')
    .description('list who may ask for predictions')
    .action(() => {
      const cli = context();
      const clients = clientsOf(cli.paths);
      cli.say(...clients.flatMap(linesOf));
      cli.emit(
        clients.map(({ keys: held, ...rest }) => ({
          ...rest,
          keys: held.map(({ sha256: _secret, ...shown }) => shown),
        })),
      );
    });
}

/**
 * Files a client of the prediction API.
 *
 * @throws RefusedError `usage`, `key-exists`
 */
export function addClient(paths: StatePaths, client: ApiClient): void {
  const { name, scope = defaultScope } = client;
  const clients = clientsOf(paths);
  if (clients.some((known) => known.name === name)) {
    throw new RefusedError('key-exists', `${paths.clients} has a client ${name} already.`);
  }
  for (const [what, value] of [
    ['client', name],
    ['scope', scope],
  ] as const) {
    if (!nameSchema.safeParse(value).success) {
      const expected = `a ${what} name of lower-case letters, digits and dashes`;
      throw new RefusedError('usage', `Expected ${expected}, got ${value}`);
    }
  }
  write(paths, [...clients, client]);
}

function rotateKey(paths: StatePaths, name: string, now: Date, overlapMs: number): string {
  const { client, others } = clientNamed(paths, name);
  const ends = new Date(now.getTime() + overlapMs).toISOString();
  const old = client.keys
    .filter(({ expiresAt }) => expiresAt === undefined || new Date(expiresAt) > now)
    // What ran out before goes on running out then.
    .map((key) => ({ ...key, expiresAt: key.expiresAt && key.expiresAt < ends ? key.expiresAt : ends }));
  const { key, record } = generateApiKey(now, randomBytes);
  write(paths, [...others, { ...client, keys: [...old, record] }]);
  return key;
}

function clientNamed(
  paths: StatePaths,
  name: string,
): { readonly client: ApiClient; readonly others: readonly ApiClient[] } {
  const clients = clientsOf(paths);
  const client = clients.find((candidate) => candidate.name === name);
  if (client) return { client, others: clients.filter((candidate) => candidate !== client) };
  const known = clients.map((candidate) => candidate.name).join(', ') || 'none';
  throw new RefusedError('usage', `Expected a client of ${paths.clients} (${known}), got ${name}`);
}

function write(paths: StatePaths, clients: readonly ApiClient[]): void {
  const text = JSON.stringify(clients, undefined, 2);
  // Whatever a gateway would refuse is refused here.
  readClients(text);
  writeFileWhole(paths.clients, text, 0o600);
}

function fingerprintOf(file: string): string {
  try {
    return new X509Certificate(readFileSync(file)).fingerprint256.replaceAll(':', '').toLowerCase();
  } catch (error) {
    throw new RefusedError('usage', `Expected a certificate in PEM in ${file}`, [], { cause: error });
  }
}

function subjectIn(text: string): ApiClient['subjects'][number] {
  const [, issuer, subject] = /^([a-z0-9-]+)=(.+)$/s.exec(text) ?? [];
  if (issuer !== undefined && subject !== undefined) return { issuer, subject };
  throw new RefusedError('usage', `--subject: expected the name of an issuer, = and a subject, got ${text}`);
}

function showKey(cli: CliContext, name: string, key: string): void {
  cli.say(`Key of ${name}, shown this once:`, `  ${key}`);
}

function linesOf({
  name,
  keys,
  certificates,
  subjects,
  anonymous,
  endpoints,
  scope = defaultScope,
}: ApiClient): readonly string[] {
  const covers = `${name}  ${scope}  ${endpoints === '*' ? 'all endpoints' : endpoints.join(', ')}`;
  return [
    ...keys.map(({ prefix, expiresAt }) => `${prefix}…  ${covers}${expiresAt ? `  until ${expiresAt}` : ''}`),
    ...certificates.map((fingerprint) => `certificate ${fingerprint.slice(0, 12)}…  ${covers}`),
    ...subjects.map(({ issuer, subject }) => `${subject} of ${issuer}  ${covers}`),
    ...(anonymous ? [`without credentials  ${covers}`] : []),
  ];
}

function clientsOf(paths: StatePaths): readonly ApiClient[] {
  return existsSync(paths.clients) ? readClients(readFileSync(paths.clients, 'utf8')) : [];
}
