import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Command } from 'commander';
import { RefusedError } from '../../core/errors/index.js';
import type { CliContext } from '../context.js';
import { listOption } from '../model-and-data/options.js';
import { sarifLog } from '../scan/sarif.js';
import { scanFiles } from '../scan/scan-files.js';
import { scanTable } from '../scan/scan-table.js';

interface ScanCommandOptions {
  readonly sarif?: string;
  readonly allowDomain?: readonly string[];
  readonly allowExternalData?: boolean;
}

/** `assay scan FILE…`: looks into model files without loading them; needs nothing but the files. */
export function registerScan(program: Command, context: () => CliContext): void {
  program
    .command('scan')
    .description('look for what no model file may hold, without loading it; exit 3 on errors')
    .argument('<files...>', 'ONNX files, or folders of them')
    .option('--sarif <file>', 'write the findings as SARIF 2.1.0')
    .option('--allow-domain <names>', 'allow operators of these domains, such as com.microsoft', listOption)
    .option('--allow-external-data', "allow weights in files of the model's own folder")
    .action(async (names: readonly string[], options: ScanCommandOptions) => {
      const cli = context();
      const files = await scanFiles(names, {
        domains: options.allowDomain ?? [],
        externalData: options.allowExternalData === true,
      });
      if (options.sarif !== undefined) await writeSarif(options.sarif, files);
      cli.say(...scanTable(files));
      const safe = files.every(({ counts }) => counts.error === 0);
      cli.emit({ safe, files });
      if (!safe) cli.refuse();
    });
}

async function writeSarif(file: string, files: Parameters<typeof sarifLog>[0]): Promise<void> {
  const manifest = path.resolve(__dirname, '../../../package.json');
  const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { readonly version: string };
  const log = sarifLog(files, process.cwd(), version);
  try {
    await writeFile(file, `${JSON.stringify(log, null, 2)}\n`);
  } catch (cause) {
    const { message } = cause as Error;
    throw new RefusedError('usage', `--sarif: cannot write ${file}: ${message}`, [], { cause });
  }
}
