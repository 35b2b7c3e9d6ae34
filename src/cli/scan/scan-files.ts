import { createHash } from 'node:crypto';
import { realpathSync, statSync } from 'node:fs';
import { lstat, open, readdir, readFile, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { RefusedError } from '../../core/errors/index.js';
import { type Finding, foreignKind, type ScanOptions, scanLimits, scanModel } from '../../core/onnx/index.js';

/** What was found in one file. */
export interface ScannedFile {
  /** As the caller named it, or below the folder that the caller named. */
  readonly file: string;
  readonly bytes: number;
  /** `sha256:` and hex; absent for files that were looked at but not read as models. */
  readonly digest?: string;
  readonly findings: readonly Finding[];
  readonly counts: Readonly<Record<Finding['level'], number>>;
}

export interface ScanFilesOptions {
  readonly domains: readonly string[];
  /** Whether weights may lie in files beside the model. */
  readonly externalData: boolean;
}

/** Enough to tell a file by its content. */
const headBytes = 4096;

/**
 * Scans files, and every file below folders: models are scanned, and whatever else is told by its content to be a pickle,
 * archive, program or model of another format is refused. Other files are none of a scanner's business.
 *
 * @throws RefusedError `source-missing` when a path cannot be read
 */
export async function scanFiles(
  names: readonly string[],
  options: ScanFilesOptions,
): Promise<readonly ScannedFile[]> {
  const scanned: ScannedFile[] = [];
  for (const name of names) {
    const found = await stat(name).catch((cause) => {
      throw new RefusedError('source-missing', `expected a model file or a folder, got ${name}`, [], {
        cause,
      });
    });
    if (!found.isDirectory()) scanned.push(await scanFile(name, options));
    else {
      const inside: ScannedFile[] = [];
      for await (const file of filesBelow(name)) inside.push(await scanInFolder(file, options));
      if (inside.length === 0)
        throw new RefusedError('source-missing', `expected files in ${name}, got none`);
      scanned.push(...inside);
    }
  }
  return scanned;
}

async function* filesBelow(folder: string): AsyncGenerator<string> {
  const entries = await readdir(folder, { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const below = path.join(folder, entry.name);
    if (entry.isDirectory()) yield* filesBelow(below);
    else yield below;
  }
}

async function scanInFolder(file: string, options: ScanFilesOptions): Promise<ScannedFile> {
  const found = await lstat(file);
  if (!found.isFile()) {
    const message = `expected a regular file, got ${found.isSymbolicLink() ? 'a link' : 'a special file'}`;
    return refusedFile(file, 'not-regular', message, 'Put the file itself there.');
  }
  if (file.toLowerCase().endsWith('.onnx')) return scanFile(file, options);
  const kind = foreignKind(await headOf(file));
  if (!kind) return { file, bytes: found.size, findings: [], counts: { error: 0, warning: 0, note: 0 } };
  const message = `expected no ${kind.executable ? 'file that can run code' : 'model of another format'}, got ${kind.name}`;
  return refusedFile(file, 'foreign-file', message, 'Remove it, or ask for the model as ONNX.');
}

/** A finding about a file among others, which no rule for models makes. */
function refusedFile(file: string, name: string, message: string, advice: string): ScannedFile {
  const rule = name === 'foreign-file' ? 'ASSAY-FILE-001' : 'ASSAY-FILE-002';
  const finding: Finding = { rule, name, level: 'error', where: '', message, advice };
  return { file, bytes: 0, findings: [finding], counts: { error: 1, warning: 0, note: 0 } };
}

async function headOf(file: string): Promise<Uint8Array> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(headBytes), 0, headBytes, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

async function scanFile(file: string, { domains, externalData }: ScanFilesOptions): Promise<ScannedFile> {
  const found = await stat(file);
  // A pipe or a device may never end.
  if (!found.isFile())
    return refusedFile(file, 'not-regular', 'expected a regular file', 'Name the file itself.');
  if (found.size > scanLimits.fileBytes) {
    const message = `expected at most ${scanLimits.fileBytes} bytes, got ${found.size}`;
    return refusedFile(file, 'not-regular', message, 'Export a smaller model.');
  }
  const bytes = await readFile(file);
  const folder = await realpath(path.dirname(file));
  const scan: ScanOptions = {
    domains,
    ...(externalData && { externalSize: (location) => sizeInside(folder, location) }),
  };
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  return { file, bytes: bytes.length, digest, ...scanModel(bytes, scan) };
}

/** Links are followed before the path is believed: one may lead out of the folder. */
function sizeInside(folder: string, location: string): number | undefined {
  try {
    const real = realpathSync(path.join(folder, location));
    if (!real.startsWith(folder + path.sep)) return undefined;
    const found = statSync(real);
    return found.isFile() ? found.size : undefined;
  } catch {
    return undefined;
  }
}
