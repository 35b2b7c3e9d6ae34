import { writeFile } from 'node:fs/promises';
import { type Command, Option } from 'commander';
import { RefusedError } from '../../core/errors/index.js';
import { certifyFile, openModelFile } from '../../core/evaluation/index.js';
import {
  type CertifiedGateSpec,
  certificationMethods,
  certifiedNorms,
  gatesSchema,
  type Norm,
  norms,
} from '../../core/spec/index.js';
import { digestOf } from '../../core/store/index.js';
import { certifyPage } from '../certify/certify-page.js';
import { certifyResult } from '../certify/result.js';
import { certifyTable } from '../certify/table.js';
import type { CliContext } from '../context.js';
import { integerBetween } from '../integer-option.js';
import { interruptible } from '../interruptible.js';
import { addDataOptions } from '../model-and-data/data-options.js';
import { addGateOptions, type GateOptions } from '../model-and-data/gate-options.js';
import { type DataOptions, numberBetween } from '../model-and-data/options.js';
import { readData } from '../model-and-data/read-data.js';
import { readModel } from '../model-and-data/read-model.js';
import { commandLine } from '../report/command-line.js';
import { expectFree } from '../report/expect-free.js';

interface CertifyOptions extends DataOptions, GateOptions {
  readonly method: CertifiedGateSpec['method'];
  readonly norm?: Norm;
  readonly epsilon: number;
  readonly sigma?: number;
  readonly n?: number;
  readonly n0?: number;
  readonly alpha?: number;
}

/** `assay certify MODEL`: the certified gate on anyone's ONNX file, with nothing but the file and samples. */
export function registerCertify(program: Command, context: () => CliContext): void {
  const command = program
    .command('certify')
    .description('prove of how many samples no change within a radius alters the answer')
    .argument('<model>', 'an ONNX file: one float32 input [N, …], one float32 output [N, classes]');
  addDataOptions(addGateOptions(command, 'certified accuracy', 500))
    .addOption(
      new Option('--method <name>', 'how to certify').choices(certificationMethods).makeOptionMandatory(),
    )
    .addOption(
      new Option(
        '--norm <norm>',
        'what a change is measured in; default: l2 by smoothing, else linf',
      ).choices(norms),
    )
    .requiredOption(
      '--epsilon <radius>',
      'the radius that certificates must reach, in units that the model sees',
      numberBetween(0, 1e30, true),
    )
    .option(
      '--sigma <deviation>',
      'smoothing: of the noise, in units that the model sees',
      numberBetween(0, 1e30, true),
    )
    .option('--n <n>', 'smoothing: noisy copies a sample; default: 10000', integerBetween(1, 10_000_000))
    .option(
      '--n0 <n>',
      'smoothing: noisy copies that choose the class; default: 100',
      integerBetween(1, 1_000_000),
    )
    .option(
      '--alpha <p>',
      'smoothing: the chance that a certificate is wrong; default: 0.001',
      numberBetween(0, 0.5, true),
    )
    .action((file: string, options: CertifyOptions) =>
      interruptible((signal) => certify(context(), file, options, signal)),
    );
}

async function certify(
  cli: CliContext,
  file: string,
  options: CertifyOptions,
  signal: AbortSignal,
): Promise<void> {
  const started = performance.now();
  const spec = specOf(options);
  expectFree(options);
  const onnx = await readModel(file);
  const model = await openModelFile(onnx, { domains: options.allowDomain ?? [] });
  try {
    const data = await readData(options, model, signal);
    const line = process.stderr.isTTY && !cli.json ? process.stderr : undefined;
    const certification = await certifyFile({
      model,
      set: data.set,
      spec,
      seed: options.seed,
      data: data.digest,
      onProgress: (fraction) => line?.write(`\r\x1b[2K  certifying ${Math.floor(100 * fraction)} %`),
      signal,
    }).finally(() => line?.write('\r\x1b[2K'));
    const result = certifyResult({
      model: { file, digest: digestOf(onnx) },
      data,
      spec,
      minimum: options.minimum,
      seed: options.seed,
      certification,
      seconds: (performance.now() - started) / 1000,
      command: commandLine(process.argv.slice(2)),
    });
    if (options.html !== undefined) await writeFile(options.html, certifyPage(result), { flag: 'wx' });
    cli.say(...certifyTable(result));
    if (options.html !== undefined) cli.say(`Report: ${options.html}`);
    cli.emit(result);
    if (options.minimum !== undefined && result.status !== 'pass') cli.refuse();
  } finally {
    await model.close();
  }
}

/** @throws RefusedError `usage` where options do not go together */
function specOf(options: CertifyOptions): CertifiedGateSpec {
  const { method, norm, epsilon, sigma, n, n0, alpha, samples, minimum, confidence } = options;
  const smoothing = Object.fromEntries(
    Object.entries({ sigma, n, n0, alpha }).filter(([, value]) => value !== undefined),
  );
  const [extra] = Object.keys(smoothing);
  if (method === 'smoothing' && sigma === undefined) {
    throw new RefusedError(
      'usage',
      'expected --sigma with --method smoothing: the noise that the model can bear',
    );
  }
  if (method !== 'smoothing' && extra !== undefined) {
    throw new RefusedError('usage', `--${extra} goes with --method smoothing only`);
  }
  const known = certifiedNorms[method];
  const chosen = norm ?? (known.includes('linf') ? 'linf' : known[0]);
  if (!known.some((each) => each === chosen)) {
    throw new RefusedError(
      'usage',
      `--norm: expected ${known.join(' or ')} with --method ${method}, got ${chosen}`,
    );
  }
  const [spec] = gatesSchema.parse([
    {
      gate: 'certified',
      method,
      norm: chosen,
      epsilon,
      samples,
      confidence,
      minimum: minimum ?? 0,
      ...(method === 'smoothing' && { smoothing }),
    },
  ]);
  return spec as CertifiedGateSpec;
}
