import type { ExecutableSource } from './executable-source.js';
import { findOnPath, runProgram } from './run-program.js';

/** The Temporal CLI that the user installed. */
export const executableOnPath: ExecutableSource = {
  name: 'the PATH',
  async find(machine) {
    const executable = await findOnPath(machine, 'temporal');
    if (executable === undefined) {
      return {
        ok: false,
        reason: 'no `temporal` on the PATH: install the Temporal CLI (https://docs.temporal.io/cli)',
      };
    }
    const { ok, output } = await runProgram(machine, executable, ['--version'], 30_000);
    return ok && /^temporal version \d/m.test(output)
      ? { ok: true, executable }
      : {
          ok: false,
          reason: `${executable} is not the Temporal CLI: \`temporal --version\` gave ${JSON.stringify(output.trim().slice(0, 80))}`,
        };
  },
};
