import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { RefusedError } from '../../core/errors/index.js';
import type { CliContext } from '../context.js';
import { claimHolder } from '../state.js';

const patienceMs = 30_000;

/** `assay down`: stops what `assay up` started for this state folder, and waits until it is gone. */
export function registerDown(program: Command, context: () => CliContext): void {
  program
    .command('down')
    .description('stop what `assay up` started; nothing is lost')
    .action(async () => {
      const cli = context();
      // Also one that is only starting.
      const pid = claimHolder(cli.paths);
      if (pid === undefined)
        throw new RefusedError('server-missing', `Nothing runs for ${cli.paths.folder}.`);
      process.kill(pid, 'SIGTERM');
      const until = Date.now() + patienceMs;
      while (claimHolder(cli.paths) === pid) {
        if (Date.now() > until) throw new Error(`Process ${pid} did not stop within ${patienceMs / 1000} s.`);
        await sleep(100);
      }
      cli.say('Stopped.');
      cli.emit({ stopped: pid });
    });
}
