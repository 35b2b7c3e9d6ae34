import { randomBytes } from 'node:crypto';
import {
  authenticate,
  authorize,
  generateApiKey,
  hashApiKey,
  readClients,
} from '../../../src/core/serving/index.js';

const now = new Date('2026-01-01T00:00:00Z');
const alice = generateApiKey({ name: 'alice', endpoints: ['digits'] }, now, randomBytes);
const bob = generateApiKey({ name: 'bob', endpoints: '*' }, now, randomBytes);
const clients = [alice.client, bob.client];
const refused = (code: string) => expect.objectContaining({ code });

describe('an API key', () => {
  it('is 256 random bits, of which the record keeps a hash and a recognisable beginning', () => {
    const { key, client } = generateApiKey({ name: 'eve', endpoints: [] }, now, (bytes) =>
      Buffer.alloc(bytes, 1),
    );
    expect(key).toBe(`assay_${Buffer.alloc(32, 1).toString('base64url')}`);
    expect(client).toEqual({
      name: 'eve',
      sha256: hashApiKey(key),
      prefix: 'assay_AQEBAQ',
      endpoints: [],
      createdAt: '2026-01-01T00:00:00.000Z',
    });
    expect(JSON.stringify(client)).not.toContain(key);
  });

  it('says who speaks', () => {
    expect(authenticate(clients, `Bearer ${alice.key}`).name).toBe('alice');
    expect(authenticate(clients, `bearer ${bob.key}`).name).toBe('bob');
  });

  it.each([
    ['no header', undefined],
    ['an empty header', ''],
    ['another scheme', `Basic ${alice.key}`],
    ['the key alone', alice.key],
    ['a key with one character changed', `Bearer ${alice.key.slice(0, -1)}!`],
    ['a key that nobody has', `Bearer assay_${'A'.repeat(43)}`],
    ['more than the key', `Bearer ${alice.key} x`],
    ['the hash for the key', `Bearer ${alice.client.sha256}`],
  ])('refuses %s, always in the same words', (_name, header) => {
    expect(() => authenticate(clients, header)).toThrow(
      expect.objectContaining({ code: 'unauthenticated', message: 'expected an API key of this gateway' }),
    );
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
    ['a hash that is none', JSON.stringify([{ ...alice.client, sha256: alice.key }])],
    ['one name twice', JSON.stringify([alice.client, { ...bob.client, name: 'alice' }])],
    ['one key twice', JSON.stringify([alice.client, { ...alice.client, name: 'carol' }])],
  ])('is refused for %s', (_name, text) => {
    expect(() => readClients(text)).toThrow(refused('clients-invalid'));
  });
});
