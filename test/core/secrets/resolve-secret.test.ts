import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { resolveSecret } from '../../../src/core/secrets/index.js';

let folder: string;
/** Speaks the protocols of Vault's key-value engine, version 2, and of AWS Secrets Manager (JSON 1.1). */
let server: Server;
const before = { ...process.env };
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'assay-secrets-'));
  server = createServer((request, response) => {
    const body: Buffer[] = [];
    request.on('data', (chunk: Buffer) => body.push(chunk));
    request.on('end', () => {
      const answer = (status: number, content: unknown) => {
        response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' });
        response.end(JSON.stringify(content));
      };
      if (request.headers['x-amz-target'] === 'secretsmanager.GetSecretValue') {
        const { SecretId: id } = JSON.parse(Buffer.concat(body).toString()) as { SecretId: string };
        if (id === 'assay') return answer(200, { SecretString: '{"passphrase":"from aws"}' });
        return answer(400, { __type: 'ResourceNotFoundException', Message: 'no such secret' });
      }
      if (request.headers['x-vault-token'] !== 'vault-token') return answer(403, { errors: ['denied'] });
      if (request.url !== '/v1/secret/data/assay') return answer(404, { errors: [] });
      return answer(200, { data: { data: { passphrase: 'from vault' }, metadata: { version: 1 } } });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  Object.assign(process.env, {
    ...{ ASSAY_TEST_SECRET: 'from the environment', VAULT_ADDR: address, VAULT_TOKEN: 'vault-token' },
    ...{ AWS_ENDPOINT_URL_SECRETS_MANAGER: address, AWS_REGION: 'eu-central-1' },
    ...{ AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'secret' },
  });
});
afterAll(async () => {
  process.env = before;
  await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true, force: true });
});

describe('a reference to a secret', () => {
  it.each([
    ['env:ASSAY_TEST_SECRET', 'from the environment'],
    ['vault:secret/data/assay#passphrase', 'from vault'],
    ['aws-sm:assay#passphrase', 'from aws'],
    ['aws-sm:assay', '{"passphrase":"from aws"}'],
  ])('%s is fetched from where it says', async (reference, secret) => {
    expect(await resolveSecret(reference)).toBe(secret);
  });

  it('to a file leaves out the newline that editors add, and nothing else', async () => {
    const file = path.join(folder, 'secret');
    await writeFile(file, ' spaces \n\n');
    expect(await resolveSecret(`file:${file}`)).toBe(' spaces \n');
  });

  it.each([
    'env:ASSAY_TEST_NOTHING',
    'file:/nowhere/at/all',
    'aws-sm:other',
    'aws-sm:assay#other',
    'vault:secret/data/other#passphrase',
    'vault:secret/data/assay#toString',
  ])('%s is refused by name where there is none', async (reference) => {
    await expect(resolveSecret(reference)).rejects.toMatchObject({
      code: 'secret-missing',
      message: expect.stringContaining(reference),
    });
  });

  it('is never quoted when it is none: it may be the secret', async () => {
    for (const text of ['hunter2', 'correct:horse']) {
      const error = await resolveSecret(text).catch((thrown: Error) => thrown);
      expect(error).toMatchObject({ code: 'secret-missing' });
      expect(String(error)).not.toMatch(/hunter2|horse/);
    }
  });

  it('is a fault, and no refusal, where its place does not answer or does not let us in', async () => {
    process.env.VAULT_TOKEN = 'wrong';
    await expect(resolveSecret('vault:secret/data/assay#passphrase')).rejects.toMatchObject({
      name: 'TransientError',
    });
    process.env.VAULT_TOKEN = 'vault-token';
  });
});
