import { mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';
import { cacheFolder } from './cache-folder.js';
import type { ExecutableSource } from './executable-source.js';

/** The Temporal CLI as the TypeScript SDK downloads it for its tests: the last resort, for it checks no hash. */
export const executableFromSdk: ExecutableSource = {
  name: "the Temporal SDK's download",
  async find(machine) {
    const downloadDir = path.join(cacheFolder(machine), 'sdk-download');
    await mkdir(downloadDir, { recursive: true, mode: 0o700 });
    try {
      // Only here: the package loads the SDK's native library, and most machines never come this far.
      const { TestWorkflowEnvironment } = await import('@temporalio/testing');
      const environment = await TestWorkflowEnvironment.createLocal({
        server: { executable: { type: 'cached-download', downloadDir } },
      });
      await environment.teardown();
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      // The message repeats itself once for each layer.
      return { ok: false, reason: `cannot download it: ${message.split(': ').at(-1)}` };
    }
    const [file] = (await readdir(downloadDir)).filter((name) => name.startsWith('temporal'));
    return file === undefined
      ? { ok: false, reason: `the SDK left no executable in ${downloadDir}` }
      : { ok: true, executable: path.join(downloadDir, file) };
  },
};
