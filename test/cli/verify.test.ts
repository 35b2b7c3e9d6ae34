import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { writeTrustPolicy } from '../../src/core/trust/index.js';
import { type ReleaseScene, releaseScene } from '../gateway/release-scene.js';
import { assay } from './assay.js';

const storeBefore = process.env.ASSAY_STORE;
let folder: string;
let scene: ReleaseScene;
beforeEach(async () => {
  scene = await releaseScene();
  folder = mkdtempSync(path.join(tmpdir(), 'assay-verify-'));
  mkdirSync(path.join(folder, '.assay'));
  writeFileSync(path.join(folder, '.assay', 'trust.yaml'), writeTrustPolicy(scene.chain.policy));
  process.env.ASSAY_STORE = scene.chain.store.url;
});
afterEach(async () => {
  if (storeBefore === undefined) delete process.env.ASSAY_STORE;
  else process.env.ASSAY_STORE = storeBefore;
  rmSync(folder, { recursive: true, force: true });
  await scene.end();
});

it('assay verify refuses an endpoint that was pointed back to an older release, which verifies by itself', async () => {
  const first = await scene.publish(1, 0);
  await scene.publish(2, 1);
  expect((await assay(folder, 'verify', 'samples')).exit).toBe(0);
  await scene.chain.point({ release: first, revision: 1 });
  expect(await assay(folder, 'verify', 'samples')).toMatchObject({
    exit: 3,
    stdout: expect.stringContaining('revision-downgraded'),
  });
  expect((await assay(folder, 'verify', first)).exit).toBe(0);
});

it('assay verify refuses a ref that names no release', async () => {
  const { store } = scene.chain;
  await store.moveRef('endpoints/samples', undefined, { release: '../../etc/passwd', revision: 1 });
  expect(await assay(folder, 'verify', 'samples')).toMatchObject({
    exit: 3,
    stderr: expect.stringContaining('record-corrupt'),
  });
});
