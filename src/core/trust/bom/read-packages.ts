import { z } from 'zod';
import { RefusedError } from '../../errors/index.js';
import type { Digest } from '../../spec/index.js';
import type { Store } from '../../store/index.js';
import { readBytes } from '../links/inspection.js';
import type { PinnedPackage } from './materials.js';

/** What of a recorded environment is a package (see `environment` in `core/training`). */
const environmentSchema = z.looseObject({
  node: z.string().optional(),
  runtime: z.string().optional(),
  runtimeVersion: z.string().optional(),
});

/** `name==version`, with or without extras, environment markers and hashes behind (PEP 508, requirements files of pip). */
const PINNED = /^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])? *== *([A-Za-z0-9.!+_-]+)(?=[ ;\\]|$)/;

/**
 * The packages that took part in a training: Node and ONNX Runtime as the environment records them, and what a trainer of one's
 * own pins in files called `requirements….txt`. What the store does not hold is left out.
 */
export async function readPackages(
  store: Store,
  environment: Digest | undefined,
  program: Digest | undefined,
): Promise<readonly PinnedPackage[]> {
  return [
    ...(environment ? await runtimes(store, environment) : []),
    ...(program ? await pinned(store, program) : []),
  ];
}

async function runtimes(store: Store, environment: Digest): Promise<readonly PinnedPackage[]> {
  const text = await readText(store, environment);
  if (text === undefined) return [];
  const { success, data } = environmentSchema.safeParse(jsonOf(text));
  if (!success) return [];
  const { node, runtime, runtimeVersion } = data;
  return [
    ...(node ? [{ ecosystem: 'generic', name: 'node', version: node } as const] : []),
    ...(runtime && runtimeVersion
      ? [{ ecosystem: 'npm', name: runtime, version: runtimeVersion } as const]
      : []),
  ];
}

async function pinned(store: Store, program: Digest): Promise<readonly PinnedPackage[]> {
  const found = new Map<string, PinnedPackage>();
  let files: Awaited<ReturnType<Store['readTree']>>;
  try {
    files = await store.readTree(program);
  } catch (error) {
    if (error instanceof RefusedError) return [];
    throw error;
  }
  for (const { digest } of files.filter((file) => /(^|\/)requirements[^/]*\.txt$/.test(file.path))) {
    for (const line of (await readText(store, digest))?.split('\n') ?? []) {
      const [, name, version] = PINNED.exec(line.trim()) ?? [];
      if (!name || !version) continue;
      // One package, one name (PEP 503).
      const normal = name.toLowerCase().replaceAll(/[._-]+/g, '-');
      found.set(`${normal} ${version}`, { ecosystem: 'pypi', name: normal, version });
    }
  }
  return [...found.values()];
}

async function readText(store: Store, digest: Digest): Promise<string | undefined> {
  try {
    return Buffer.from(await readBytes(store, digest)).toString();
  } catch (error) {
    if (error instanceof RefusedError) return undefined;
    throw error;
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
