import { execFile } from 'node:child_process';
import path from 'node:path';

const main = path.resolve(__dirname, '../../dist/cli/main.js');

/** How a command ended, and what it printed. */
export interface CommandResult {
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `assay ARGUMENTS…` as a user does, in a folder, knowing of no Temporal server. */
export function assay(folder: string, ...args: readonly string[]): Promise<CommandResult> {
  return assayWith({}, folder, ...args);
}

/** The same with further variables in the environment. */
export function assayWith(
  more: NodeJS.ProcessEnv,
  folder: string,
  ...args: readonly string[]
): Promise<CommandResult> {
  const { TEMPORAL_ADDRESS: _address, TEMPORAL_PROFILE: _profile, ...env } = process.env;
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [main, ...args],
      { cwd: folder, env: { ...env, ...more, NO_COLOR: '1' } },
      (error, stdout, stderr) => {
        const exit = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
        resolve({ exit, stdout, stderr });
      },
    );
  });
}
