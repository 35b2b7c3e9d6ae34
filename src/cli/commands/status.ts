import type { Command } from 'commander';
import type { EndpointState } from '../../workflows/contract.js';
import { type CliContext, withClient } from '../context.js';
import { describeOutcome } from '../outcome-text.js';
import { stageTree } from '../show-progress.js';

/** `assay status RUN|ENDPOINT`: where a run is, or what an endpoint serves and has served. */
export function registerStatus(program: Command, context: () => CliContext): void {
  program
    .command('status')
    .description('show where a run is and how it ended, or what an endpoint serves')
    .argument('<name>', 'a run id, or the name of an endpoint')
    .action(async (name: string) => {
      const cli = context();
      await withClient(cli, async (client) => {
        if (!name.startsWith('lifecycle-')) {
          const state = await client.endpoint(name);
          cli.say(...describeEndpoint(state));
          return cli.emit(state);
        }
        const progress = await client.progress(name);
        const ended = (await client.isRunning(name)) ? undefined : await client.outcome(name);
        cli.say(...stageTree(progress), ...(ended ? describeOutcome(ended) : []));
        cli.emit({ run: name, ...progress, ...(ended && { outcome: ended }) });
      });
    });
}

function describeEndpoint({ endpoint, live, frozen, history }: EndpointState): readonly string[] {
  const ice = frozen ? [`Frozen since ${frozen.since}, by ${frozen.by}: ${frozen.reason}`] : [];
  if (!live) return [`Endpoint ${endpoint}: nothing is live.`, ...ice];
  return [
    `Endpoint ${endpoint}: revision ${live.record.revision} is live.`,
    ...ice,
    ...history.map(({ record }) => {
      const { revision, kind, model, requestedBy, requests, createdAt, reason } = record;
      const proven = requests ? '' : ', who did not sign';
      return `  ${revision === live.record.revision ? '▸' : ' '} ${revision}  ${kind.padEnd(8)} ${model.slice(0, 19)}  ${createdAt}  ${requestedBy}${proven}: ${reason}`;
    }),
  ];
}
