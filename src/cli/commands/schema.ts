import type { Command } from 'commander';
import { lifecycleJsonSchemaText } from '../../core/spec/index.js';

/** `assay schema`: the JSON Schema of lifecycle files, for editors. */
export function registerSchema(program: Command): void {
  program
    .command('schema')
    .description('print the JSON Schema of lifecycle files')
    .action(() => {
      process.stdout.write(lifecycleJsonSchemaText());
    });
}
