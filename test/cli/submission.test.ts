import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { readLifecycle, upload } from '../../src/cli/submission.js';
import type { Lifecycle } from '../../src/core/spec/index.js';
import { digestOf, openStore, type Store } from '../../src/core/store/index.js';

let folder: string;
let store: Store;
let lifecycle: Lifecycle;
const inside = (...names: string[]) => path.join(folder, ...names);
beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'assay-submission-'));
  store = await openStore(pathToFileURL(inside('store')).href);
  lifecycle = await readLifecycle(path.resolve(__dirname, '../../examples/digits/lifecycle.yaml'));
  mkdirSync(inside('work'));
  writeFileSync(inside('work', 'data.csv'), 'id\n');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const submit = (source: string, files?: readonly string[]) =>
  upload(
    store,
    {
      ...lifecycle,
      data: { ...lifecycle.data, source },
      training: files
        ? { ...lifecycle.training, trainer: 'program', command: ['true'], files: [...files] }
        : lifecycle.training,
    } as Lifecycle,
    inside('work'),
  );

it('uploads the source and the files beside the lifecycle file, also through a link to the source', async () => {
  writeFileSync(inside('work', '..train.py'), 'x');
  symlinkSync(inside('work', 'data.csv'), inside('link.csv'));
  const { source, program } = await submit('../link.csv', ['..train.py']);
  expect(source).toBe(digestOf('id\n'));
  expect((await store.readTree(program!)).map(({ path: name }) => name)).toEqual(['..train.py']);
});

it('uploads the model that the built-in trainer fine-tunes, so that it is part of what the training is keyed by', async () => {
  writeFileSync(inside('work', 'model.onnx'), 'weights');
  const network = { kind: 'onnx', file: 'model.onnx' } as const;
  const { training } = lifecycle;
  if (training.trainer !== 'built-in') throw new Error('expected the built-in trainer');
  const tuned = { ...training, parameters: { ...training.parameters, network } };
  const data = { ...lifecycle.data, source: 'data.csv' };
  const send = () => upload(store, { ...lifecycle, data, training: tuned }, inside('work'));
  const { program } = await send();
  expect(await store.readTree(program!)).toEqual([
    expect.objectContaining({ path: 'model.onnx', digest: digestOf('weights') }),
  ]);
  writeFileSync(inside('work', 'model.onnx'), 'other weights');
  expect((await send()).program).not.toBe(program);
  rmSync(inside('work', 'model.onnx'));
  await expect(send()).rejects.toMatchObject({
    code: 'source-missing',
    message: expect.stringContaining('training.parameters.network.file'),
  });
});

it.each([
  ['is missing', 'missing.csv', undefined],
  ['is a folder', '.', undefined],
  ['is a pipe, which may never end', 'pipe.csv', undefined],
  ['is a device, which never ends', '/dev/zero', undefined],
  ['names a program elsewhere', 'data.csv', ['../secret']],
  ['names a program that a link on the way puts elsewhere', 'data.csv', ['away/secret']],
  ['names a program that is missing', 'data.csv', ['missing.py']],
])('refuses what %s', async (_what, source, files) => {
  execFileSync('mkfifo', [inside('work', 'pipe.csv')]);
  writeFileSync(inside('secret'), 'hush');
  symlinkSync(folder, inside('work', 'away'));
  await expect(submit(source, files)).rejects.toMatchObject({ code: 'source-missing' });
});
