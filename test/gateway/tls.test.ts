import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pino from 'pino';
import { followTls } from '../../src/gateway/tls.js';
import { alice, keyedClient, type RunningGateway, runGateway, sample } from './running-gateway.js';
import { type SignedChain, signedChain } from './signed-chain.js';

type Pair = { readonly certificate: string; readonly key: string };
/** Made by `fixtures/tls.sh`. */
const pki = JSON.parse(readFileSync(path.join(__dirname, 'fixtures/tls.json'), 'utf8')) as {
  readonly servers: string;
  readonly clients: string;
} & Readonly<Record<'server' | 'renewed' | 'acme' | 'mallory', Pair>>;
const fingerprintOf = ({ certificate }: Pair) =>
  new X509Certificate(certificate).fingerprint256.replaceAll(':', '').toLowerCase();

let chain: SignedChain;
let gateway: RunningGateway;
let folder: string;
const files = () => ({
  certificate: path.join(folder, 'server.pem'),
  key: path.join(folder, 'server.key'),
  clientAuthority: path.join(folder, 'clients.pem'),
});
const write = ({ certificate, key }: Pair) => {
  writeFileSync(files().certificate, certificate);
  writeFileSync(files().key, key);
};
const log: string[] = [];
const logger = pino({}, { write: (line: string) => void log.push(line) });

const bound = keyedClient('bound', '*');
const clients = [
  alice.client,
  { ...bound.client, certificates: [fingerprintOf(pki.acme)] },
  { ...bound.client, name: 'mallory', keys: [], certificates: [fingerprintOf(pki.mallory)] },
];
const certified = { ...bound.client, name: 'certified', keys: [], certificates: [fingerprintOf(pki.acme)] };
let known: readonly unknown[] = clients;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'gateway-tls-'));
  write(pki.server);
  writeFileSync(files().clientAuthority, pki.clients);
  chain = await signedChain();
  await chain.point({ release: await chain.release(await chain.model(1), 1), revision: 1 });
  gateway = await runGateway(chain, {
    tls: await followTls(files(), logger),
    readClientsText: async () => JSON.stringify(known),
  });
});
afterAll(async () => {
  await gateway.drain();
  await chain.remove();
  rmSync(folder, { recursive: true });
});

/** Asks on a connection of its own; gives the status and who answered. */
function ask(key?: string, own?: Pair): Promise<{ readonly status: number; readonly server: string }> {
  const agent = new Agent({ ca: pki.servers, ...(own && { cert: own.certificate, key: own.key }) });
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', ...(key && { authorization: `Bearer ${key}` }) };
    const call = request(`${gateway.url}/v2/models/samples/infer`, { method: 'POST', agent, headers });
    call.on('error', reject).on('response', (response) => {
      const { subject } = (response.socket as import('node:tls').TLSSocket).getPeerCertificate();
      response.resume().on('end', () => {
        agent.destroy();
        resolve({ status: response.statusCode!, server: String(subject.CN) });
      });
    });
    call.end(JSON.stringify(sample));
  });
}

describe('a gateway that speaks TLS', () => {
  it('proves who it is, and speaks nothing else', async () => {
    expect(gateway.url).toMatch(/^https:/);
    expect(await ask(alice.key)).toEqual({ status: 200, server: 'server' });
    await expect(fetch(gateway.url.replace('https', 'http'))).rejects.toThrow();
    await expect(fetch(gateway.url)).rejects.toThrow();
  });

  it.each<[string, string | undefined, Pair | undefined, number]>([
    ['a key that needs no certificate', alice.key, undefined, 200],
    ['no credentials', undefined, undefined, 401],
    ['a bound key alone', bound.key, undefined, 401],
    ['a bound key with its certificate', bound.key, pki.acme, 200],
    ['a certificate that is good with a key only', undefined, pki.acme, 401],
    ['a known certificate of an authority that nobody trusts', undefined, pki.mallory, 401],
  ])('answers %s accordingly', async (_, key, own, status) => {
    expect((await ask(key, own)).status).toBe(status);
  });

  it('knows clients by their certificates alone where the file says so', async () => {
    known = [certified];
    await gateway.poll();
    expect((await ask(undefined, pki.acme)).status).toBe(200);
    known = clients;
    await gateway.poll();
  });

  it('takes a renewed certificate without a restart, and keeps the old one while the files do not fit', async () => {
    writeFileSync(files().certificate, pki.renewed.certificate);
    await gateway.poll();
    expect((await ask(alice.key)).server).toBe('server');
    write(pki.renewed);
    await gateway.poll();
    expect((await ask(alice.key)).server).toBe('renewed');
    expect(log.filter((line) => line.includes('cannot be used'))).toHaveLength(1);
    expect(log.join('')).not.toContain('PRIVATE KEY');
  });

  it('does not start with files that are none', async () => {
    writeFileSync(path.join(folder, 'empty'), '');
    await expect(followTls({ ...files(), key: path.join(folder, 'empty') }, logger)).rejects.toMatchObject({
      code: 'tls-invalid',
    });
    await expect(
      followTls({ ...files(), certificate: path.join(folder, 'nowhere') }, logger),
    ).rejects.toMatchObject({ code: 'tls-invalid' });
  });
});
