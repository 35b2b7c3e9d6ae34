import type { Command } from 'commander';
import { type CliContext, withClient } from '../context.js';
import { addSigningOptions, type SigningOptions, signWith } from '../data/sign-with.js';

/** `assay approve RUN`, `assay reject RUN`: a person lets a run go on, or ends it. Their signature is part of the chain. */
export function registerApprove(program: Command, context: () => CliContext): void {
  for (const [decision, done] of [
    ['approve', 'Approved'],
    ['reject', 'Rejected'],
  ] as const) {
    const command = program
      .command(decision)
      .description(`${decision} a run that waits for people`)
      .argument('<run>', 'run id')
      .requiredOption('--reason <text>', 'why; it becomes part of the signed statement');
    addSigningOptions(command).action(async (run: string, options: SigningOptions & { reason: string }) => {
      const cli = context();
      const { reason } = options;
      await withClient(
        cli,
        (client) => client.decide(run, { decision, reason }),
        await signWith(cli, options),
      );
      cli.say(`${done} ${run}.`);
      cli.emit({ run, decision });
    });
  }
}
