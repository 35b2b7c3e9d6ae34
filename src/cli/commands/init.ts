import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { RefusedError } from '../../core/errors/index.js';
import { parseLifecycle } from '../../core/spec/index.js';
import type { CliContext } from '../context.js';
import { type NamedColumns, profileSource } from '../init/profile-source.js';
import { exampleProfile, writeLifecycle } from '../init/write-lifecycle.js';

interface InitOptions extends NamedColumns {
  readonly data?: string;
}

/** `assay init [FILE]`: a commented lifecycle to start from, fitted to the user's data where there is some. */
export function registerInit(program: Command, context: () => CliContext): void {
  program
    .command('init')
    .description('write a commented lifecycle file, fitted to your data')
    .argument('[file]', 'where to write it', 'lifecycle.yaml')
    .option(
      '--data <file>',
      'CSV, JSON Lines or Parquet: columns, types, ranges and classes are taken from it',
    )
    .option('--id <column>', 'the column that names a row; default: guessed')
    .option('--label <column>', 'the column to predict; default: guessed')
    .action(async (file: string, { data, ...named }: InitOptions) => {
      const cli = context();
      const folder = path.dirname(path.resolve(file));
      const profile = data === undefined ? exampleProfile : await profileSource(data, named);
      const source = data === undefined ? 'data.csv' : path.relative(folder, path.resolve(data));
      const name = nameFrom(data ?? folder);
      const text = writeLifecycle({ name, source: source.replaceAll(path.sep, '/'), profile });
      parseLifecycle(text, file);
      writeNew(file, text);
      const { rows, features, label } = profile;
      cli.say(
        data === undefined
          ? `Wrote ${file}: fill in its data block, or write it from your data with --data FILE.`
          : `Wrote ${file}: ${rows} rows, ${features.length} features, ${label.classes.length} classes of ${label.column}.`,
        `Next: correct it, then \`assay run ${file}\`.`,
      );
      cli.emit({ file, name, rows, features: features.length, classes: label.classes.length });
    });
}

/** A name that endpoints may have, from a path. */
function nameFrom(file: string): string {
  const slug = path
    .parse(file)
    .name.toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 63)
    .replace(/^-+|-+$/g, '');
  return slug === '' ? 'model' : slug;
}

function writeNew(file: string, text: string): void {
  try {
    writeFileSync(file, text, { flag: 'wx' });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') throw new RefusedError('file-exists', `expected no file ${file}, got one`);
    if (code === 'ENOENT') throw new RefusedError('usage', `expected the folder of ${file} to exist`);
    throw error;
  }
}
