import { randomBytes } from 'node:crypto';
import type { Payload } from '@temporalio/common';
import { keyRing } from '../../../src/core/secrets/index.js';
import { payloadCodec } from '../../../src/workers/payloads/payload-codec.js';

const keys = new Map([['k1', randomBytes(32)]]);
const ring = keyRing('k1', keys);
const codec = payloadCodec(ring, true);
const utf8 = (text: string) => new TextEncoder().encode(text);
const plain: Payload = { metadata: { encoding: utf8('json/plain') }, data: utf8('"a canary"') };
const code = (expected: string) => expect.objectContaining({ code: expected });

describe('a codec of payloads', () => {
  it('hides what a payload says, and gives it back', async () => {
    const [sealed] = await codec.encode([plain]);
    expect(Buffer.from(sealed!.data!).toString('latin1')).not.toContain('canary');
    expect(Buffer.from(sealed!.metadata!.encoding!).toString()).toBe('binary/encrypted');
    const [opened] = await codec.decode([sealed!]);
    expect(Buffer.from(opened!.data!).toString()).toBe('"a canary"');
    expect(Buffer.from(opened!.metadata!.encoding!).toString()).toBe('json/plain');
  });

  it('reads what was never sealed, unless told not to', async () => {
    expect(await codec.decode([plain])).toEqual([plain]);
    await expect(payloadCodec(ring, false).decode([plain])).rejects.toEqual(code('payload-tampered'));
  });

  it('does not take what was sealed for plain, whatever encoding it is given', async () => {
    const [sealed] = await codec.encode([plain]);
    for (const encoding of ['binary/plain', 'binary/encrypteD', ''])
      await expect(
        codec.decode([{ ...sealed!, metadata: { ...sealed!.metadata, encoding: utf8(encoding) } }]),
      ).rejects.toEqual(code('payload-tampered'));
  });

  it('without keys lets plain payloads pass both ways, and says what is missing for others', async () => {
    const none = payloadCodec(undefined, true);
    expect(await none.encode([plain])).toEqual([plain]);
    expect(await none.decode([plain])).toEqual([plain]);
    await expect(none.decode(await codec.encode([plain]))).rejects.toEqual(code('payload-sealed'));
  });
});
