import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { GenerateKeyPairResult, JWTPayload } from 'jose' with { 'resolution-mode': 'import' };
import pino from 'pino';
import { authenticate, readClients, type TrustedIssuer } from '../../src/core/serving/index.js';
import type { FollowedFile } from '../../src/gateway/followed-file.js';
import { followTokenIssuers } from '../../src/gateway/token-issuers.js';

type Keys = GenerateKeyPairResult;
/** Comes as an ES module alone. */
const josePromise = import('jose');
const now = new Date('2026-01-01T00:00:00Z');
const seconds = now.getTime() / 1000;
const thumbprint = 'ab'.repeat(32);
const boundTo = { 'x5t#S256': Buffer.from(thumbprint, 'hex').toString('base64url') };

let folder: string;
let corp: Keys;
let later: Keys;
let partner: Keys;
let partnerServer: Server;
let partnerAnswers: number;
let partnerAsked = 0;
let issuers: FollowedFile<readonly TrustedIssuer[]>;
const log: string[] = [];
const logger = pino({}, { write: (line: string) => void log.push(line) });
const file = (name: string) => path.join(folder, name);

async function jwks(...entries: readonly (readonly [string, Keys])[]): Promise<string> {
  const { exportJWK } = await josePromise;
  const keys = await Promise.all(
    entries.map(async ([kid, { publicKey }]) => ({ ...(await exportJWK(publicKey)), kid })),
  );
  return JSON.stringify({ keys });
}

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'gateway-tokens-'));
  const { generateKeyPair } = await josePromise;
  corp = await generateKeyPair('ES256', { extractable: true });
  later = await generateKeyPair('EdDSA', { extractable: true });
  partner = await generateKeyPair('RS256', { extractable: true });
  writeFileSync(file('corp.json'), await jwks(['first', corp]));
  const partnerKeys = await jwks(['partner', partner]);
  partnerAnswers = 503;
  partnerServer = createServer((_request, response) => {
    partnerAsked += 1;
    response.writeHead(partnerAnswers, { 'content-type': 'application/json' }).end(partnerKeys);
  });
  await new Promise<void>((resolve) => partnerServer.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(partnerServer.address() as AddressInfo).port}/jwks`;
  const common = { audience: 'assay' };
  writeFileSync(
    file('issuers.json'),
    JSON.stringify([
      { ...common, name: 'corp', issuer: 'https://id.corp.test', keys: { file: 'corp.json' } },
      {
        ...common,
        name: 'strict',
        issuer: 'https://id.strict.test',
        keys: { file: 'corp.json' },
        algorithms: ['EdDSA'],
        everyone: { endpoints: '*' },
      },
      {
        ...common,
        name: 'partner',
        issuer: 'https://id.partner.test',
        keys: { url },
        everyone: { endpoints: ['digits'], scope: 'partner' },
      },
    ]),
  );
  issuers = await followTokenIssuers(file('issuers.json'), logger);
});
afterAll(() => {
  partnerServer.close();
  rmSync(folder, { recursive: true });
});

const clients = readClients(
  JSON.stringify([
    { name: 'batch', subjects: [{ issuer: 'corp', subject: 'svc-batch' }], endpoints: '*' },
    {
      name: 'vault',
      subjects: [{ issuer: 'corp', subject: 'svc-vault' }],
      certificates: [thumbprint],
      endpoints: '*',
    },
  ]),
);
const honest = {
  iss: 'https://id.corp.test',
  aud: 'assay',
  sub: 'svc-batch',
  exp: seconds + 600,
} as const satisfies JWTPayload;

async function signed(claims: JWTPayload, header: { alg?: string; kid?: string } = {}, keys = corp) {
  const { SignJWT } = await josePromise;
  return new SignJWT(claims)
    .setProtectedHeader({ alg: 'ES256', kid: 'first', ...header })
    .sign(keys.privateKey);
}
const speaker = async (token: string, certificate?: string) =>
  await authenticate(
    { clients, issuers: issuers.current() },
    { authorization: `Bearer ${token}`, certificate },
    now,
  );

describe('a token', () => {
  it('says who speaks: a subject that the clients file names', async () => {
    expect((await speaker(await signed(honest))).name).toBe('batch');
    expect((await speaker(await signed({ ...honest, aud: ['other', 'assay'] }))).name).toBe('batch');
  });

  it.each<[string, () => Promise<string>]>([
    ['that ran out longer ago than clocks differ', () => signed({ ...honest, exp: seconds - 31 })],
    ['that is not valid yet', () => signed({ ...honest, nbf: seconds + 31 })],
    ['that never runs out', () => signed({ ...honest, exp: undefined } as unknown as JWTPayload)],
    [
      'signed in a way that its issuer does not sign in',
      () => signed({ ...honest, iss: 'https://id.strict.test' }),
    ],
    ['for another audience', () => signed({ ...honest, aud: 'assay.other' })],
    ['of an issuer who is almost trusted', () => signed({ ...honest, iss: 'https://id.corp.test/' })],
    ['about a subject that the clients file does not name', () => signed({ ...honest, sub: 'svc-other' })],
    ['about nobody', () => signed({ ...honest, sub: undefined } as unknown as JWTPayload)],
    ['signed by another key', () => signed(honest, { alg: 'EdDSA' }, later)],
    ['with a key id that is not known', () => signed(honest, { kid: 'second' })],
    ['without a signature', async () => new (await josePromise).UnsecuredJWT(honest).encode()],
    [
      'whose secret is the public key',
      async () => {
        const { exportJWK, SignJWT } = await josePromise;
        return new SignJWT(honest)
          .setProtectedHeader({ alg: 'HS256', kid: 'first' })
          .sign(Buffer.from(JSON.stringify(await exportJWK(corp.publicKey))));
      },
    ],
    [
      'with other claims under the same signature',
      async () => {
        const [header, , signature] = (await signed(honest)).split('.');
        const claims = Buffer.from(JSON.stringify({ ...honest, sub: 'svc-vault' })).toString('base64url');
        return `${header}.${claims}.${signature}`;
      },
    ],
    ['bound to what nobody here can check', () => signed({ ...honest, cnf: { jkt: 'x' } })],
    ['that is none', async () => 'a.b.c'],
  ])('%s is nobody’s', async (_name, make) => {
    await expect(speaker(await make(), thumbprint)).rejects.toMatchObject({ code: 'unauthenticated' });
  });

  it('is good a little after it ran out, for clocks differ', async () => {
    expect((await speaker(await signed({ ...honest, exp: seconds - 29 }))).name).toBe('batch');
  });

  it('that is bound to a certificate, by itself or by the clients file, is nothing without it', async () => {
    const bound = await signed({ ...honest, cnf: boundTo });
    expect((await speaker(bound, thumbprint)).name).toBe('batch');
    const vault = await signed({ ...honest, sub: 'svc-vault' });
    expect((await speaker(vault, thumbprint)).name).toBe('vault');
    for (const token of [bound, vault])
      for (const certificate of [undefined, 'cd'.repeat(32)])
        await expect(speaker(token, certificate)).rejects.toMatchObject({ code: 'unauthenticated' });
  });

  it('is checked with keys that are fetched, is no verdict while they cannot be, and speaks for everyone of its issuer', async () => {
    const about = (sub: string) =>
      signed({ ...honest, iss: 'https://id.partner.test', sub }, { alg: 'RS256', kid: 'partner' }, partner);
    await expect(speaker(await about('ann@partner.test'))).rejects.toMatchObject({ name: 'TransientError' });
    partnerAnswers = 200;
    const ann = await speaker(await about('ann@partner.test'));
    expect(ann).toMatchObject({ endpoints: ['digits'], scope: 'partner' });
    expect(ann.name).toMatch(/^partner-[0-9a-f]{32}$/);
    expect(await speaker(await about('ann@partner.test'))).toEqual(ann);
    for (const other of ['bob@partner.test', 'svc-batch'])
      expect((await speaker(await about(other))).name).toMatch(/^partner-/);
    expect((await speaker(await about('bob@partner.test'))).name).not.toBe(ann.name);
    expect(partnerAsked).toBe(2);
    const forged = signed({ ...honest, iss: 'https://id.partner.test' }, { kid: 'partner' });
    await expect(speaker(await forged)).rejects.toMatchObject({ code: 'unauthenticated' });
  });
});

describe('the files of token issuers', () => {
  it('are followed: a new key is believed and an old one is not, and a broken file changes nothing', async () => {
    writeFileSync(file('corp.json'), '{');
    await issuers.refresh();
    expect((await speaker(await signed(honest))).name).toBe('batch');
    writeFileSync(file('corp.json'), await jwks(['second', later]));
    await issuers.refresh();
    await expect(speaker(await signed(honest))).rejects.toMatchObject({ code: 'unauthenticated' });
    const rotated = await signed(honest, { alg: 'EdDSA', kid: 'second' }, later);
    expect((await speaker(rotated)).name).toBe('batch');
    expect(log.filter((line) => line.includes('cannot be used'))).toHaveLength(1);
  });

  const issuer = { name: 'corp', issuer: 'x', audience: 'y', keys: { file: 'keys.json' } };
  const known = { kty: 'OKP', crv: 'Ed25519', x: 'AA' };
  it.each<[string, unknown, unknown]>([
    ['no list', {}, {}],
    ['keys over plain HTTP', [{ ...issuer, keys: { url: 'http://id.corp.test/jwks' } }], {}],
    ['one issuer twice', [issuer, { ...issuer, name: 'other' }], { keys: [known] }],
    ['a shared secret as an algorithm', [{ ...issuer, algorithms: ['HS256'] }], { keys: [known] }],
    ['clocks that are hours apart', [{ ...issuer, clockSkewSeconds: 7200 }], { keys: [known] }],
    ['no keys', [issuer], { keys: [] }],
    ['a shared secret as a key', [issuer], { keys: [{ kty: 'oct', k: 'AA' }] }],
    ['a private key', [issuer], { keys: [{ ...known, d: 'AA' }] }],
  ])('are refused for %s', async (_name, list, keys) => {
    writeFileSync(file('bad.json'), JSON.stringify(list));
    writeFileSync(file('keys.json'), JSON.stringify(keys));
    await expect(followTokenIssuers(file('bad.json'), logger)).rejects.toMatchObject({
      code: 'token-issuers-invalid',
    });
  });
});
