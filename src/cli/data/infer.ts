import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { profileTable } from '../../core/data/index.js';
import { RefusedError } from '../../core/errors/index.js';
import type { CliContext } from '../context.js';
import { inferBlock } from './infer-block.js';

interface InferCommandOptions {
  readonly id?: string;
  readonly label?: string;
  readonly output?: string;
}

/** `assay data infer FILE`: a commented data block to start from. */
export function registerDataInfer(data: Command, context: () => CliContext): void {
  data
    .command('infer')
    .description('write a commented data block that takes this file, for you to correct')
    .argument('<file>', 'CSV, JSON Lines or Parquet')
    .option('--id <column>', 'the column that names a row; default: guessed')
    .option('--label <column>', 'the column to predict; default: guessed')
    .option('--output <file>', 'write the block into this file; default: print it')
    .action(async (file: string, { output, ...named }: InferCommandOptions) => {
      const cli = context();
      const folder = output === undefined ? process.cwd() : path.dirname(path.resolve(output));
      const source = path.relative(folder, path.resolve(file)).replaceAll(path.sep, '/');
      const profile = await profileTable(file);
      const block = inferBlock(profile, { source, ...named });
      if (output !== undefined) writeNew(output, block);
      if (output !== undefined)
        cli.say(`Wrote ${output}: ${profile.rows} rows, ${profile.columns.length} columns.`);
      else cli.say(block.trimEnd());
      cli.emit({ rows: profile.rows, columns: profile.columns, block });
    });
}

function writeNew(file: string, text: string): void {
  try {
    writeFileSync(file, text, { flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new RefusedError('file-exists', `expected no file ${file}, got one`);
  }
}
