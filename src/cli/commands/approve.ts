import type { Command } from 'commander';
import { type CliContext, currentUser, withClient } from '../context.js';

/** `assay approve RUN`: a person lets a run go on, or ends it. The decision is signed into the chain. */
export function registerApprove(program: Command, context: () => CliContext): void {
  program
    .command('approve')
    .description('approve (or --reject) a run that waits for a person')
    .argument('<run>', 'run id')
    .requiredOption('--reason <text>', 'why; it becomes part of the signed statement')
    .option('--reject', 'reject instead')
    .action(async (run: string, options: { reason: string; reject?: boolean }) => {
      const cli = context();
      const decision = options.reject ? 'reject' : 'approve';
      await withClient(cli, (client) =>
        client.decide(run, { decision, by: currentUser(), reason: options.reason }),
      );
      cli.say(`${decision === 'approve' ? 'Approved' : 'Rejected'} ${run}.`);
      cli.emit({ run, decision });
    });
}
