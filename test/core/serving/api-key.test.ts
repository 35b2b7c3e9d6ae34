import { randomBytes } from 'node:crypto';
import {
  type ApiClient,
  authenticate,
  authorize,
  generateApiKey,
  hashApiKey,
  readClients,
} from '../../../src/core/serving/index.js';

const now = new Date('2026-01-01T00:00:00Z');
const keyed = (name: string, endpoints: ApiClient['endpoints'], more: Partial<ApiClient> = {}) => {
  const { key, record } = generateApiKey(now, randomBytes);
  return {
    key,
    client: { name, keys: [record], certificates: [], subjects: [], endpoints, ...more } satisfies ApiClient,
  };
};
const fingerprint = (letter: string) => letter.repeat(64);
const alice = keyed('alice', ['digits']);
const bob = keyed('bob', '*');
const bound = keyed('bound', '*', { certificates: [fingerprint('a')] });
const certified: ApiClient = {
  name: 'certified',
  keys: [],
  certificates: [fingerprint('b')],
  subjects: [],
  endpoints: '*',
};
const clients: readonly ApiClient[] = [alice.client, bob.client, bound.client, certified];
const refused = (code: string) => expect.objectContaining({ code });
const speaker = async (authorization?: string, certificate?: string, at = now, among = clients) =>
  (await authenticate({ clients: among, issuers: [] }, { authorization, certificate }, at)).name;

describe('an API key', () => {
  it('is 256 random bits, of which the record keeps a hash and a recognisable beginning', () => {
    const { key, record } = generateApiKey(now, (bytes) => Buffer.alloc(bytes, 1));
    expect(key).toBe(`assay_${Buffer.alloc(32, 1).toString('base64url')}`);
    expect(record).toEqual({
      sha256: hashApiKey(key),
      prefix: 'assay_AQEBAQ',
      createdAt: '2026-01-01T00:00:00.000Z',
    });
    expect(JSON.stringify(record)).not.toContain(key);
  });

  it('says who speaks', async () => {
    expect(await speaker(`Bearer ${alice.key}`)).toBe('alice');
    expect(await speaker(`bearer ${bob.key}`, fingerprint('c'))).toBe('bob');
  });

  it.each([
    ['no header', undefined],
    ['an empty header', ''],
    ['another scheme', `Basic ${alice.key}`],
    ['the key alone', alice.key],
    ['a key with one character changed', `Bearer ${alice.key.slice(0, -1)}!`],
    ['a key that nobody has', `Bearer assay_${'A'.repeat(43)}`],
    ['more than the key', `Bearer ${alice.key} x`],
    ['the hash for the key', `Bearer ${alice.client.keys[0]!.sha256}`],
  ])('refuses %s, always in the same words', async (_name, header) => {
    await expect(speaker(header)).rejects.toMatchObject({
      code: 'unauthenticated',
      message: 'expected credentials that this gateway knows',
    });
  });

  it('works beside the one that takes over from it, until it runs out', async () => {
    const [old] = alice.client.keys;
    const next = generateApiKey(now, randomBytes);
    const later = new Date(now.getTime() + 1000);
    const both = { ...alice.client, keys: [{ ...old!, expiresAt: later.toISOString() }, next.record] };
    const ask = (key: string, at: Date) => speaker(`Bearer ${key}`, undefined, at, [both]);
    const answers = await Promise.all([ask(alice.key, now), ask(next.key, now), ask(next.key, later)]);
    expect(answers).toEqual(Array(3).fill('alice'));
    await expect(ask(alice.key, later)).rejects.toEqual(refused('unauthenticated'));
  });

  it('that is bound to a certificate is nothing without it, nor the certificate without the key', async () => {
    expect(await speaker(`Bearer ${bound.key}`, fingerprint('a'))).toBe('bound');
    for (const certificate of [undefined, fingerprint('b'), fingerprint('c')])
      await expect(speaker(`Bearer ${bound.key}`, certificate)).rejects.toEqual(refused('unauthenticated'));
    await expect(speaker(undefined, fingerprint('a'))).rejects.toEqual(refused('unauthenticated'));
  });

  it('is not needed by a client who is known by a certificate', async () => {
    expect(await speaker(undefined, fingerprint('b'))).toBe('certified');
    await expect(speaker(undefined, fingerprint('c'))).rejects.toEqual(refused('unauthenticated'));
    await expect(speaker('Bearer', fingerprint('b'))).rejects.toEqual(refused('unauthenticated'));
  });

  it('is not needed where the operator lets in whoever shows nothing, but a wrong one is still wrong', async () => {
    const anyone: ApiClient = {
      ...certified,
      name: 'anyone',
      certificates: [],
      anonymous: true,
      endpoints: ['digits'],
    };
    const among = [...clients, anyone];
    expect(await speaker(undefined, undefined, now, among)).toBe('anyone');
    expect(await speaker(undefined, fingerprint('b'), now, among)).toBe('certified');
    expect(readClients(JSON.stringify(among))).toEqual(among);
    for (const header of ['', `Bearer assay_${'A'.repeat(43)}`, 'Bearer a.b.c'])
      await expect(speaker(header, undefined, now, among)).rejects.toEqual(refused('unauthenticated'));
  });

  it('covers the endpoints it was made for', () => {
    expect(() => authorize(alice.client, 'digits')).not.toThrow();
    expect(() => authorize(bob.client, 'anything')).not.toThrow();
    expect(() => authorize(alice.client, 'other')).toThrow(refused('forbidden'));
    expect(() => authorize(alice.client, '__proto__')).toThrow(refused('forbidden'));
  });
});

describe('a clients file', () => {
  it('reads back what was generated', () => {
    expect(readClients(JSON.stringify(clients))).toEqual(clients);
  });

  it.each([
    ['no JSON', '{'],
    ['no list', '{}'],
    ['a key in clear', JSON.stringify([{ ...alice.client, key: alice.key }])],
    [
      'a hash that is none',
      JSON.stringify([{ ...alice.client, keys: [{ ...alice.client.keys[0], sha256: alice.key }] }]),
    ],
    ['nothing to know a client by', JSON.stringify([{ ...alice.client, keys: [] }])],
    [
      'one certificate twice',
      JSON.stringify([bound.client, { ...certified, certificates: [fingerprint('a')] }]),
    ],
    ['one name twice', JSON.stringify([alice.client, { ...bob.client, name: 'alice' }])],
    ['a key for whoever shows none', JSON.stringify([{ ...alice.client, anonymous: true }])],
    [
      'one subject twice',
      JSON.stringify(
        ['a', 'b'].map((name) => ({ name, subjects: [{ issuer: 'corp', subject: 'x' }], endpoints: '*' })),
      ),
    ],
    ['one key twice', JSON.stringify([alice.client, { ...alice.client, name: 'carol' }])],
  ])('is refused for %s', (_name, text) => {
    expect(() => readClients(text)).toThrow(refused('clients-invalid'));
  });
});
