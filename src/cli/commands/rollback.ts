import type { Command } from 'commander';
import { type CliContext, withClient } from '../context.js';
import { addSigningOptions, type SigningOptions, signWith } from '../data/sign-with.js';
import { integerBetween } from '../integer-option.js';

/** `assay rollback ENDPOINT`: a new signed revision serves an earlier model again. */
export function registerRollback(program: Command, context: () => CliContext): void {
  const command = program
    .command('rollback')
    .description('serve an earlier model again, as a new signed revision')
    .argument('<endpoint>')
    .requiredOption('--reason <text>', 'why; it becomes part of the signed statement')
    .option(
      '--to <revision>',
      'the revision to serve again; default: the newest one with another model',
      integerBetween(1, 999_999_999),
    );
  addSigningOptions(command).action(
    async (endpoint: string, options: SigningOptions & { reason: string; to?: number }) => {
      const cli = context();
      const signer = await signWith(cli, options);
      const revision = await withClient(
        cli,
        (client) =>
          client.rollback(endpoint, {
            reason: options.reason,
            ...(options.to !== undefined && { toRevision: options.to }),
          }),
        signer,
      );
      const { record } = revision;
      cli.say(
        `${endpoint} revision ${record.revision} is published: it serves the model of revision ${record.restores} again.`,
      );
      cli.emit(revision);
    },
  );
}
