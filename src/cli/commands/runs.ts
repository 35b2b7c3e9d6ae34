import type { Command } from 'commander';
import { type CliContext, withClient } from '../context.js';
import { integerBetween } from '../integer-option.js';

/** `assay runs`: the newest runs. */
export function registerRuns(program: Command, context: () => CliContext): void {
  program
    .command('runs')
    .description('list the newest runs')
    .option('--limit <n>', 'how many', integerBetween(1, 1000), 20)
    .action(async (options: { limit: number }) => {
      const cli = context();
      await withClient(cli, async (client) => {
        const runs = await client.runs(options.limit);
        cli.say(
          ...(runs.length === 0 ? ['No runs yet: start one with `assay run lifecycle.yaml`.'] : []),
          ...runs.map(
            ({ id, status, stage, startedAt }) =>
              `${id}  ${status.padEnd(9)} ${startedAt.toISOString()}  ${stage ?? ''}`,
          ),
        );
        cli.emit(runs);
      });
    });
}
