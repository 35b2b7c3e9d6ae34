#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import pc from 'picocolors';
import { errorTable, RefusedError } from '../core/errors/index.js';
import { registerApprove } from './commands/approve.js';
import { registerAttack } from './commands/attack.js';
import { registerAudit } from './commands/audit.js';
import { registerCertify } from './commands/certify.js';
import { registerCodec } from './commands/codec.js';
import { registerData } from './commands/data.js';
import { registerDemo } from './commands/demo.js';
import { registerDown } from './commands/down.js';
import { registerEvidence } from './commands/evidence.js';
import { registerFreeze } from './commands/freeze.js';
import { registerInit } from './commands/init.js';
import { registerKeys } from './commands/keys.js';
import { registerRollback } from './commands/rollback.js';
import { registerRun } from './commands/run.js';
import { registerRuns } from './commands/runs.js';
import { registerScan } from './commands/scan.js';
import { registerSchema } from './commands/schema.js';
import { registerShow } from './commands/show.js';
import { registerSignRequest } from './commands/sign-request.js';
import { registerStatus } from './commands/status.js';
import { registerTrust } from './commands/trust.js';
import { registerUp } from './commands/up.js';
import { registerVerify } from './commands/verify.js';
import { createContext } from './context.js';
import { statePaths } from './state.js';

interface GlobalOptions {
  readonly json?: boolean;
  readonly state: string;
}

const program = new Command('assay')
  .description('From raw data to a served model and back again, with proof at every step.')
  .option('--json', 'print results as JSON')
  .option('--state <dir>', 'state folder', process.env.ASSAY_STATE ?? '.assay')
  // With --json the error is reported as an object, below.
  .configureOutput({ outputError: (text, write) => (wantsJson() ? undefined : write(text)) })
  .exitOverride();

const context = () => {
  return createContext(statePaths(program.opts<GlobalOptions>().state), wantsJson());
};
for (const register of [
  registerUp,
  registerDown,
  registerInit,
  registerSchema,
  registerRun,
  registerRuns,
  registerStatus,
  registerApprove,
  registerRollback,
  registerFreeze,
  registerSignRequest,
  registerVerify,
  registerShow,
  registerCodec,
  registerTrust,
  registerAudit,
  registerAttack,
  registerCertify,
  registerEvidence,
  registerData,
  registerScan,
  registerKeys,
  registerDemo,
]) {
  register(program, context);
}

program.parseAsync().catch((error: unknown) => {
  process.exitCode = report(error);
});

function wantsJson(): boolean {
  return program.opts<GlobalOptions>().json === true;
}

/** Says what was wrong, where, and what to do next. @returns the exit code */
function report(error: unknown): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return 0;
    const { hint, exit } = errorTable.usage;
    const message =
      error.code === 'commander.help' ? 'expected a command' : error.message.replace(/^error: /, '');
    // Commander has told people what is wrong already.
    if (wantsJson()) console.log(JSON.stringify({ error: { code: 'usage', message, details: [], hint } }));
    else if (error.code !== 'commander.help') console.error(`  next: ${hint}`);
    return exit;
  }
  const refused = error instanceof RefusedError ? error : undefined;
  const message = error instanceof Error ? error.message : String(error);
  if (wantsJson()) {
    const { code = 'fault', details = [], hint } = refused ?? {};
    console.log(JSON.stringify({ error: { code, message, details, hint } }));
  } else {
    console.error(`${pc.red('error')}${refused ? ` ${refused.code}` : ''}: ${message}`);
    for (const detail of refused?.details ?? []) console.error(`  - ${detail}`);
    if (refused) console.error(`  next: ${refused.hint}`);
  }
  if (process.env.ASSAY_DEBUG && error instanceof Error) console.error(error.stack);
  return refused?.entry.exit ?? 1;
}
