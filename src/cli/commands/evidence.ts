import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { writeParquet } from '../../core/data/index.js';
import { RefusedError } from '../../core/errors/index.js';
import { evidenceTable } from '../../core/evaluation/index.js';
import { digestSchema } from '../../core/spec/index.js';
import { openStore } from '../../core/store/index.js';
import type { CliContext } from '../context.js';

/** `assay evidence DIGEST`: what a gate saw of each sample. */
export function registerEvidence(program: Command, context: () => CliContext): void {
  program
    .command('evidence')
    .description(
      "print a verdict's evidence, one line a sample, or write it as Parquet; needs only the store",
    )
    .argument('<digest>', 'the digest of the evidence, as `assay --json status RUN` shows it')
    .option('--parquet <file>', 'write a table instead, one row a sample')
    .action(async (name: string, { parquet }: { parquet?: string }) => {
      const cli = context();
      const digest = digestSchema.safeParse(name);
      if (!digest.success) throw new RefusedError('usage', `expected a sha256 digest, got ${name}`);
      if (parquet !== undefined && existsSync(parquet)) {
        throw new RefusedError('file-exists', `expected no file ${parquet}, got one`);
      }
      const bytes = await (await openStore(cli.paths.store)).readBlob(digest.data);
      const table = evidenceTable(bytes);
      if (parquet === undefined) {
        process.stdout.write(bytes);
        return;
      }
      await writeParquet(table, parquet);
      cli.say(`Written: ${parquet}`);
      cli.emit({ evidence: digest.data, parquet });
    });
}
