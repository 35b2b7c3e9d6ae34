import type { Command } from 'commander';
import { type CliContext, withClient } from '../context.js';
import { addSigningOptions, type SigningOptions, signWith } from '../data/sign-with.js';
import { followRun } from '../follow-run.js';
import { describeOutcome } from '../outcome-text.js';
import { createProgressDisplay } from '../show-progress.js';
import { readLifecycle } from '../submission.js';

/** `assay run FILE`: starts a run and shows it to its end; Ctrl-C detaches, and the run goes on. */
export function registerRun(program: Command, context: () => CliContext): void {
  const command = program
    .command('run')
    .description('start a run of a lifecycle file and follow it; Ctrl-C detaches, the run goes on')
    .argument('<file>', 'lifecycle file')
    .option('--detach', 'start the run and return at once');
  addSigningOptions(command).action(async (file: string, options: SigningOptions & { detach?: boolean }) => {
    const cli = context();
    // Mistakes in the file are told before anything is asked of a server.
    await readLifecycle(file);
    const signer = await signWith(cli, options);
    await withClient(
      cli,
      async (client) => {
        const run = await client.start(file);
        cli.say(`Run ${run}`);
        if (options.detach) return cli.emit({ run });
        process.once('SIGINT', () => {
          cli.say('', `Detached; the run goes on. See it with: assay status ${run}`);
          process.exit(0);
        });
        const show = createProgressDisplay(process.stdout);
        const outcome = await followRun(client, run, (progress) => {
          if (!cli.json) show(progress);
        });
        cli.say(...describeOutcome(outcome));
        cli.emit({ run, ...outcome });
        if (outcome.status === 'refused') cli.refuse();
      },
      signer,
    );
  });
}
