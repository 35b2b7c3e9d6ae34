import { execFile } from 'node:child_process';
import { access, constants, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Machine } from './executable-source.js';

/** How a program ended: whether with exit code 0, and all that it printed. */
export interface ProgramResult {
  readonly ok: boolean;
  readonly output: string;
}

/** Runs a program to its end, in the machine's environment. */
export function runProgram(
  { env }: Machine,
  program: string,
  args: readonly string[],
  timeoutMs: number,
): Promise<ProgramResult> {
  return new Promise((resolve) => {
    execFile(program, [...args], { env, timeout: timeoutMs, windowsHide: true }, (error, stdout, stderr) => {
      resolve({ ok: error === null, output: `${stdout}${stderr}` || (error?.message ?? '') });
    });
  });
}

/** The first executable file of this name on the PATH, as a shell would find it. */
export async function findOnPath(machine: Machine, name: string): Promise<string | undefined> {
  const { env, platform } = machine;
  const folders = (env.PATH ?? env.Path ?? '').split(platform === 'win32' ? ';' : ':');
  const endings = platform === 'win32' ? (env.PATHEXT ?? '.EXE').split(';') : [''];
  for (const folder of folders.filter((entry) => entry !== '')) {
    for (const ending of endings) {
      const file = path.join(folder, `${name}${ending}`);
      if (await isExecutable(file)) return file;
    }
  }
  return undefined;
}

async function isExecutable(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return (await stat(file)).isFile();
  } catch {
    return false;
  }
}
