import type { Command } from 'commander';
import { type CliContext, withClient } from '../context.js';
import { addSigningOptions, type SigningOptions, signWith } from '../data/sign-with.js';

/** `assay freeze ENDPOINT`, `assay unfreeze ENDPOINT`: whether anything new may be released. */
export function registerFreeze(program: Command, context: () => CliContext): void {
  for (const [action, does, done] of [
    ['freeze', 'let nothing new be released to an endpoint; rollbacks still are', 'takes nothing new'],
    ['unfreeze', 'let an endpoint take releases again', 'takes releases again'],
  ] as const) {
    const command = program
      .command(action)
      .description(does)
      .argument('<endpoint>')
      .requiredOption('--reason <text>', 'why; it becomes part of the signed request');
    addSigningOptions(command).action(
      async (endpoint: string, options: SigningOptions & { reason: string }) => {
        const cli = context();
        const signer = await signWith(cli, options);
        await withClient(cli, (client) => client[action](endpoint, options.reason), signer);
        cli.say(`${endpoint} ${done}.`);
        cli.emit({ endpoint, action });
      },
    );
  }
}
