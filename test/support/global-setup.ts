import { execFileSync } from 'node:child_process';
import path from 'node:path';
// Without `.js`: jest maps module names for suites, not for this file.
import { publishTemporal } from './temporal';

/** Suites under these folders meet a real Temporal server; a run of others alone does not wait for one. */
const needTemporal = ['integration', 'workflows', 'workers', 'activities', 'cli'];

/**
 * Threads and child processes run compiled code: built once here, so that no test meets a stale `dist`. Then one
 * Temporal server for all suites. There is no globalTeardown, for a crashed reporter skips it: the server ends because
 * this process does.
 */
export default async function globalSetup({ testPathPatterns }: JestConfig): Promise<void> {
  const root = path.resolve(__dirname, '../..');
  const compiler = path.join(root, 'node_modules/typescript/lib/tsc.js');
  execFileSync(process.execPath, [compiler, '-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' });

  const { patterns } = testPathPatterns;
  if (
    patterns.length > 0 &&
    patterns.every((pattern) => !needTemporal.some((name) => pattern.includes(name)))
  ) {
    return;
  }
  const { connectionSettings, startTemporal } = (await import(
    path.join(root, 'dist/workers/server/index.js')
  )) as typeof import('../../src/workers/server/index.js');
  const { address } = await startTemporal(await connectionSettings(process.env), { port: 0, uiPort: 0 });
  publishTemporal(address);
}

/** What is used of jest's global configuration. */
interface JestConfig {
  readonly testPathPatterns: { readonly patterns: readonly string[] };
}
