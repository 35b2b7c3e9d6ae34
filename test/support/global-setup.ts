import { execFileSync } from 'node:child_process';
import path from 'node:path';

/** Threads and child processes run compiled code: build it once, so that no test meets a stale `dist`. */
export default function globalSetup(): void {
  const root = path.resolve(__dirname, '../..');
  execFileSync(
    process.execPath,
    [path.join(root, 'node_modules/typescript/lib/tsc.js'), '-p', 'tsconfig.build.json'],
    {
      cwd: root,
      stdio: 'inherit',
    },
  );
}
