import { open } from 'node:fs/promises';
import path from 'node:path';
import type { Command } from 'commander';
import { type CheckedFile, checkFile } from '../../core/data/index.js';
import { RefusedError } from '../../core/errors/index.js';
import { openStore } from '../../core/store/index.js';
import { type CliContext, mark } from '../context.js';
import { readLifecycle } from '../submission.js';

interface CheckOptions {
  readonly data?: string;
  readonly output?: string;
}

/** `assay data check LIFECYCLE`: what ingestion would say of the data, without a run. */
export function registerDataCheck(data: Command, context: () => CliContext): void {
  data
    .command('check')
    .description('hold data against the rules of a data block, as a run would, and keep nothing')
    .argument('[lifecycle]', 'the lifecycle file whose data block says the rules', 'lifecycle.yaml')
    .option('--data <file>', 'another file than the one that the data block names')
    .option('--output <file>', 'write every problem into this file, as JSON Lines')
    .action((lifecycle: string, options: CheckOptions) => checkData(context(), lifecycle, options));
}

async function checkData(cli: CliContext, lifecycle: string, options: CheckOptions): Promise<void> {
  const { data } = await readLifecycle(lifecycle);
  const base = path.dirname(path.resolve(lifecycle));
  const file = options.data ?? path.resolve(base, data.source);
  const output = options.output === undefined ? undefined : await newFile(options.output);
  let checked: CheckedFile;
  try {
    checked = await checkFile(file, options.data === undefined ? data : { ...data, source: options.data }, {
      resolve: (source) => path.resolve(base, source),
      fetchReference: async (snapshot, folder) =>
        (await openStore(cli.paths.store)).fetchTree(snapshot, folder),
      asOf: new Date(),
      onProblem: async (problem) => {
        await output?.write(`${JSON.stringify(problem)}\n`);
      },
    });
  } finally {
    await output?.close();
  }
  const { status, rows, broken, summary, transforms, verdicts } = checked;
  const told = {
    accepted: `${mark.good} accepted: ${rows} rows${broken > 0 ? `, ${broken} of them set aside` : ''}`,
    refused: `${mark.bad} refused: ${rows} rows`,
    inconclusive: `${mark.bad} inconclusive, which refuses: ${rows} rows are too few to tell`,
  }[status];
  cli.say(
    told,
    ...transforms.map(({ transform, values, rows: changed }) =>
      transform.transform === 'drop'
        ? `  ${transform.name}: ${changed} rows dropped`
        : `  ${transform.transform} ${transform.columns.join(', ')}: ${values} values changed in ${changed} rows`,
    ),
    ...verdicts.map(
      ({ status: one, check, reason }) => `  ${one === 'pass' ? mark.good : mark.bad} ${check}: ${reason}`,
    ),
    ...summary.map((line) => `  ${line}`),
  );
  if (options.output !== undefined) cli.say(`Written: ${options.output}`);
  cli.emit(checked);
  if (status !== 'accepted') cli.refuse();
}

async function newFile(file: string) {
  try {
    return await open(file, 'wx');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code !== 'EEXIST') throw cause;
    throw new RefusedError('file-exists', `expected no file ${file}, got one`);
  }
}
