import { randomBytes } from 'node:crypto';
import { Argument, type Command } from 'commander';
import { type RequestDraft, signRequest } from '../../core/trust/index.js';
import { type CliContext, withClient } from '../context.js';
import { addSigningOptions, type SigningOptions, signWith } from '../data/sign-with.js';
import { integerBetween } from '../integer-option.js';

const actions = ['approve', 'reject', 'rollback', 'freeze', 'unfreeze'] as const;
type Action = (typeof actions)[number];

interface SignRequestOptions extends SigningOptions {
  readonly reason: string;
  readonly to?: number;
  readonly valid: number;
}

/** `assay sign-request ACTION NAME`: what somebody else may send, from the Temporal UI or any other client. */
export function registerSignRequest(program: Command, context: () => CliContext): void {
  const command = program
    .command('sign-request')
    .description(
      'sign a request without sending it: prints the input of the update, to be sent from anywhere',
    )
    .addArgument(new Argument('<action>').choices([...actions]))
    .argument('<name>', 'the run to decide on, or the endpoint')
    .requiredOption('--reason <text>', 'why; it becomes part of the signed request')
    .option('--to <revision>', 'for a rollback: the revision to serve again', integerBetween(1, 999_999_999))
    .option('--valid <minutes>', 'how long it may be sent', integerBetween(1, 1440), 60);
  addSigningOptions(command).action(async (action: Action, name: string, options: SignRequestOptions) => {
    const cli = context();
    const signer = await signWith(cli, options);
    const draft = await draftOf(cli, action, name, options);
    const nonce = randomBytes(16).toString('hex');
    const signed = await signRequest(signer, draft, {
      ...{ now: new Date(), nonce },
      lifetimeMs: options.valid * 60_000,
    });
    cli.say(JSON.stringify({ signed }));
    cli.emit({ signed });
  });
}

function draftOf(
  cli: CliContext,
  action: Action,
  name: string,
  { reason, to }: SignRequestOptions,
): Promise<RequestDraft> {
  switch (action) {
    case 'approve':
    case 'reject':
      return withClient(cli, (client) => client.draftDecision(name, { decision: action, reason }));
    case 'rollback':
      return withClient(cli, (client) =>
        client.draftRollback(name, { reason, ...(to !== undefined && { toRevision: to }) }),
      );
    case 'freeze':
    case 'unfreeze':
      return Promise.resolve({ action, endpoint: name, reason });
  }
}
