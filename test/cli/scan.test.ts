import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { field, model, node, tensor } from '../core/onnx/scan/protobuf.js';
import { assay } from './assay.js';

const honest = path.resolve(__dirname, '../core/attacks/fixtures/digits-cnn.onnx');

describe('assay scan', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'assay-scan-'));
    copyFileSync(honest, path.join(folder, 'model.onnx'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const write = (name: string, bytes: Uint8Array | string) => writeFileSync(path.join(folder, name), bytes);

  it('passes an honest model', async () => {
    const { exit, stdout, stderr } = await assay(folder, 'scan', 'model.onnx');
    expect([exit, stderr]).toEqual([0, '']);
    expect(stdout).toBe('✓ model.onnx\n1 scanned: 0 errors, 0 warnings, 0 notes\n');
  });

  it('reports every finding of every file, for people, for programs and for code scanning', async () => {
    const script = field(14, [field(1, 'note'), field(2, '#!/bin/sh')]);
    write('bad.onnx', model({ nodes: [node('Backdoor', ['x'], ['y'])], inModel: [script] }));
    const people = await assay(folder, 'scan', 'model.onnx', 'bad.onnx');
    expect(people.exit).toBe(3);
    expect(people.stdout).toMatch(/✗ ASSAY-ONNX-022 unknown-operator: graph\.node\[0\] \(Backdoor\)/);
    expect(people.stdout).toMatch(/✗ ASSAY-ONNX-080 executable-payload: metadataProps\[0\]\.value/);

    const programs = await assay(folder, '--json', 'scan', 'model.onnx', 'bad.onnx', '--sarif', 'out.sarif');
    expect(programs.exit).toBe(3);
    const { safe, files } = JSON.parse(programs.stdout);
    expect(safe).toBe(false);
    expect(files.map(({ file, counts }: { file: string; counts: object }) => [file, counts])).toEqual([
      ['model.onnx', { error: 0, warning: 0, note: 0 }],
      ['bad.onnx', { error: 2, warning: 0, note: 0 }],
    ]);

    const log = JSON.parse(readFileSync(path.join(folder, 'out.sarif'), 'utf8'));
    expect(log).toMatchObject({
      version: '2.1.0',
      $schema: expect.stringContaining('sarif-schema-2.1.0.json'),
    });
    const [{ tool, artifacts, results }] = log.runs;
    expect(results).toHaveLength(2);
    for (const { ruleId, ruleIndex, level, message, locations } of results) {
      expect(tool.driver.rules[ruleIndex].id).toBe(ruleId);
      expect(level).toBe('error');
      expect(message.text).not.toBe('');
      const { artifactLocation, region } = locations[0].physicalLocation;
      expect(artifactLocation).toEqual({ uri: 'bad.onnx', index: 1 });
      expect(region.byteOffset).toBeGreaterThan(0);
    }
    expect(artifacts.map(({ location }: { location: { uri: string } }) => location.uri)).toEqual([
      'model.onnx',
      'bad.onnx',
    ]);
  });

  it('refuses what else lies in a folder and can run, by its content', async () => {
    mkdirSync(path.join(folder, 'below'));
    write('README.md', 'A model.');
    write('below/weights.onnx_data.txt', Buffer.from('\x80\x04\x95\x05\0\0', 'latin1'));
    write('below/model.json', Buffer.from('\x89HDF\r\n\x1a\n', 'latin1'));
    symlinkSync('/etc/hostname', path.join(folder, 'below/link'));
    const { exit, stdout } = await assay(folder, '--json', 'scan', '.');
    expect(exit).toBe(3);
    const { files } = JSON.parse(stdout);
    expect(
      files.map(({ file, findings }: { file: string; findings: { name: string }[] }) => [
        file,
        ...findings.map(({ name }) => name),
      ]),
    ).toEqual([
      ['README.md'],
      ['below/link', 'not-regular'],
      ['below/model.json', 'foreign-file'],
      ['below/weights.onnx_data.txt', 'foreign-file'],
      ['model.onnx'],
    ]);
  });

  it('allows weights beside a model when told so, and follows no link out of the folder', async () => {
    const beside = (location: string) =>
      model({
        nodes: [node('Add', ['x', 'w'], ['y'])],
        initializers: [
          tensor('w', 1, [2], field(14, 1), field(13, [field(1, 'location'), field(2, location)])),
        ],
      });
    write('w.bin', new Uint8Array(8));
    symlinkSync('/etc/passwd', path.join(folder, 'link.bin'));
    write('inside.onnx', beside('w.bin'));
    write('outside.onnx', beside('link.bin'));
    const exits = async (...words: string[]) => (await assay(folder, 'scan', ...words)).exit;
    expect(await exits('inside.onnx')).toBe(3);
    expect(await exits('inside.onnx', '--allow-external-data')).toBe(0);
    expect(await exits('outside.onnx', '--allow-external-data')).toBe(3);
  });

  it('says that a file is missing, as a mistake of usage', async () => {
    expect(await assay(folder, 'scan', 'none.onnx')).toMatchObject({
      exit: 2,
      stderr: expect.stringContaining('expected a model file or a folder, got none.onnx'),
    });
  });
});
