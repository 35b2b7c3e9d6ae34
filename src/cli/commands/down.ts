import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { type CliContext, requireUp } from '../context.js';
import { readUp } from '../state.js';

const patienceMs = 30_000;

/** `assay down`: stops what `assay up` started for this state folder, and waits until it is gone. */
export function registerDown(program: Command, context: () => CliContext): void {
  program
    .command('down')
    .description('stop what `assay up` started; nothing is lost')
    .action(async () => {
      const cli = context();
      const { pid } = requireUp(cli);
      process.kill(pid, 'SIGTERM');
      const until = Date.now() + patienceMs;
      while (readUp(cli.paths)) {
        if (Date.now() > until) throw new Error(`Process ${pid} did not stop within ${patienceMs / 1000} s.`);
        await sleep(100);
      }
      cli.say('Stopped.');
      cli.emit({ stopped: pid });
    });
}
