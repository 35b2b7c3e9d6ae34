import { writeFile } from 'node:fs/promises';
import { type Command, Option } from 'commander';
import type { SampleSet } from '../../core/data/index.js';
import { RefusedError } from '../../core/errors/index.js';
import { evaluateFile, type ModelFile, openModelFile } from '../../core/evaluation/index.js';
import {
  adversaryLimits,
  type EvasionGateSpec,
  gateSchema,
  type Norm,
  norms,
  patchProblem,
  type SuiteName,
  suiteNames,
  suiteOf,
  suiteOrder,
} from '../../core/spec/index.js';
import { digestOf } from '../../core/store/index.js';
import { attackPage } from '../attack/attack-page.js';
import { type AttackTextsOptions, attackTexts } from '../attack/attack-texts.js';
import { watchAttacks } from '../attack/progress.js';
import { attackResult } from '../attack/result.js';
import { attackTable } from '../attack/table.js';
import { writeOutput } from '../attack/write-output.js';
import type { CliContext } from '../context.js';
import { integerBetween } from '../integer-option.js';
import { interruptible } from '../interruptible.js';
import { addDataOptions } from '../model-and-data/data-options.js';
import { addGateOptions, type GateOptions } from '../model-and-data/gate-options.js';
import { type DataOptions, listOption, numberBetween, patchOption } from '../model-and-data/options.js';
import { readData } from '../model-and-data/read-data.js';
import { readModel } from '../model-and-data/read-model.js';
import { commandLine } from '../report/command-line.js';
import { expectFree } from '../report/expect-free.js';

interface AttackOptions extends DataOptions, GateOptions {
  readonly norm: Norm;
  readonly epsilon?: number;
  readonly edits?: string;
  readonly patch?: readonly [height: number, width: number];
  readonly locations?: number;
  readonly respects?: readonly string[];
  readonly suite: SuiteName;
  readonly attacks?: readonly string[];
  readonly parent?: string;
  readonly steps?: number;
  readonly restarts?: number;
  readonly queries?: number;
  readonly eot?: number;
  readonly answers?: number;
  readonly output?: string;
}

/** `assay attack MODEL`: the evasion gate on anyone's ONNX file, with nothing but the file and samples. */
export function registerAttack(program: Command, context: () => CliContext): void {
  const command = program
    .command('attack')
    .description('attack any ONNX classifier with its own gradients, and check that the attack had power')
    .argument('<model>', 'an ONNX file: one float32 input [N, …], one float32 output [N, classes]');
  addDataOptions(addGateOptions(command, 'robust accuracy', 1000))
    .addOption(new Option('--norm <norm>', 'what the adversary is bounded in').choices(norms).default('linf'))
    .option(
      '--epsilon <radius>',
      'how far the adversary may move an input, in units that the model sees; with --patch: anywhere in the range',
      numberBetween(0, 1e30, true),
    )
    .option(
      '--patch <HxW>',
      'the adversary covers one rectangle of the image, so many pixels high and wide, anywhere',
      patchOption,
    )
    .option(
      '--edits <file>',
      'attack texts instead: a JSON file of how many words may be edited, and how; goes with --lifecycle',
    )
    .option('--locations <n>', 'with --patch: places tried for each sample', integerBetween(1, 100_000))
    .option(
      '--respects <limits>',
      'what the adversary respects of what --lifecycle says of features: types, immutable',
      listOption,
    )
    .addOption(new Option('--suite <name>', 'which attacks are run').choices(suiteNames).default('standard'))
    .option('--attacks <names>', 'run these attacks instead of a suite', listOption)
    .option('--parent <file>', 'attack through this model too: the one that it was fine-tuned from, say')
    .option('--steps <n>', 'iterations of PGD', integerBetween(1, 10_000))
    .option('--restarts <n>', 'restarts of PGD', integerBetween(1, 100))
    .option('--queries <n>', 'queries a sample of each black-box attack', integerBetween(1, 100_000))
    .option(
      '--eot <draws>',
      'for a model that draws at random: attack the mean of so many draws',
      integerBetween(1, 1000),
    )
    .option(
      '--answers <n>',
      'with --eot: a sample is right, or broken, as most of so many answers are; odd; default: 21',
      integerBetween(5, 999),
    )
    .option('--output <dir>', 'write result, evidence and adversarial examples into this folder')
    .action((file: string, options: AttackOptions) =>
      interruptible((signal) => attack(context(), file, options, signal)),
    );
}

async function attack(
  cli: CliContext,
  file: string,
  options: AttackOptions,
  signal: AbortSignal,
): Promise<void> {
  const { edits } = options;
  if (edits !== undefined) return await attackByEdits(cli, file, { ...options, edits }, signal);
  const started = performance.now();
  const asked = specOf(options);
  expectFree(options);
  const onnx = await readModel(file);
  const parentOnnx = options.parent === undefined ? undefined : await readModel(options.parent);
  const allowed = { domains: options.allowDomain ?? [] };
  const model = await openModelFile(onnx, allowed);
  let parent: ModelFile | undefined;
  try {
    if (parentOnnx) parent = await openModelFile(parentOnnx, allowed);
    const data = await readData(options, model, signal);
    const spec = options.epsilon === undefined ? { ...asked, epsilon: widestRange(data.set) } : asked;
    const watch = watchAttacks(process.stderr.isTTY && !cli.json ? process.stderr : undefined, () =>
      performance.now(),
    );
    const evaluation = await evaluateFile({
      model,
      ...(parent && { parent }),
      set: data.set,
      spec,
      seed: options.seed,
      data: data.digest,
      onAttack: watch.onAttack,
      signal,
    }).finally(() => watch.end());
    const result = attackResult({
      model: {
        file,
        digest: digestOf(onnx),
        notes: model.notes,
        ...(parentOnnx && { parent: { file: options.parent!, digest: digestOf(parentOnnx) } }),
      },
      data,
      spec,
      minimum: options.minimum,
      seed: options.seed,
      evaluation,
      seconds: watch.end(),
      totalSeconds: (performance.now() - started) / 1000,
      command: commandLine(process.argv.slice(2)),
    });
    if (options.output !== undefined) await writeOutput(options.output, result, evaluation, data.set);
    if (options.html !== undefined) {
      await writeFile(options.html, attackPage(result, evaluation, data.set), { flag: 'wx' });
    }
    cli.say(...attackTable(result));
    if (options.output !== undefined) cli.say(`Written: ${options.output}`);
    if (options.html !== undefined) cli.say(`Report: ${options.html}`);
    cli.emit(result);
    if (options.minimum !== undefined && result.status !== 'pass') cli.refuse();
  } finally {
    await Promise.all([model.close(), parent?.close()]);
  }
}

/** What makes sense of a ball or a patch alone. */
const notOfEdits = ['epsilon', 'patch', 'respects', 'attacks', 'parent', 'eot'] as const;

async function attackByEdits(
  cli: CliContext,
  file: string,
  options: AttackOptions & AttackTextsOptions,
  signal: AbortSignal,
): Promise<void> {
  const strange = notOfEdits.find((name) => options[name] !== undefined);
  if (strange) throw new RefusedError('usage', `expected no --${strange} with --edits`);
  expectFree(options);
  const model = await openModelFile(await readModel(file), { domains: options.allowDomain ?? [] });
  try {
    await attackTexts(cli, file, model, await readData(options, model, signal), options, signal);
  } finally {
    await model.close();
  }
}

function specOf(options: AttackOptions): EvasionGateSpec {
  const {
    norm,
    epsilon,
    patch,
    locations,
    respects,
    samples,
    suite,
    attacks,
    parent,
    steps,
    restarts,
    queries,
    eot,
    answers,
    minimum,
    confidence,
  } = options;
  const iterations = { ...(steps !== undefined && { steps }), ...(restarts !== undefined && { restarts }) };
  const strange = respects?.find((name) => !(adversaryLimits as readonly string[]).includes(name));
  if (strange !== undefined) {
    throw new RefusedError(
      'usage',
      `--respects: expected some of ${adversaryLimits.join(', ')}, got ${strange}`,
    );
  }
  if (respects && options.lifecycle === undefined) {
    throw new RefusedError('usage', '--respects goes with --lifecycle, whose data block says what holds');
  }
  if (answers !== undefined && (eot === undefined || answers % 2 === 0)) {
    throw new RefusedError('usage', '--answers: expected an odd number, with --eot');
  }
  if (epsilon === undefined && patch === undefined) {
    throw new RefusedError('usage', 'expected --epsilon RADIUS, --patch HxW, or --edits FILE');
  }
  if (locations !== undefined && patch === undefined) {
    throw new RefusedError('usage', '--locations goes with --patch');
  }
  const asked = { ...(queries !== undefined && { queries }) };
  const spec = gateSchema.parse({
    gate: 'evasion',
    norm,
    // That of the whole range is not known before the data is read.
    epsilon: epsilon ?? Number.MAX_VALUE,
    ...(respects && { respects }),
    ...(patch && {
      patch: {
        height: patch[0],
        width: patch[1],
        ...(steps !== undefined && { steps }),
        ...(locations !== undefined && { locations }),
        ...asked,
      },
    }),
    samples,
    confidence,
    minimum: minimum ?? 0,
    suite,
    pgd: iterations,
    square: asked,
    hopSkipJump: asked,
    ...(eot !== undefined && { randomised: { draws: eot, ...(answers !== undefined && { answers }) } }),
  }) as EvasionGateSpec;
  if (patch && parent !== undefined) {
    throw new RefusedError('usage', 'expected --parent or --patch, got both');
  }
  if (attacks && attacks.includes('transfer') !== (parent !== undefined)) {
    throw new RefusedError('usage', 'expected --parent FILE and transfer among --attacks, or neither');
  }
  if (!attacks) return expectPossible(spec);
  const unknown = attacks.find((name) => !(suiteOrder as readonly string[]).includes(name));
  if (unknown !== undefined) {
    throw new RefusedError('usage', `--attacks: expected some of ${suiteOrder.join(', ')}, got ${unknown}`);
  }
  const standard = suiteOf(spec);
  const chosen = attacks.map((name) => standard.find(({ attack }) => attack === name) ?? { attack: name });
  return expectPossible(gateSchema.parse({ ...spec, attacks: chosen }) as EvasionGateSpec);
}

/** @throws RefusedError `usage` where options do not go with --patch, or not without it */
function expectPossible(spec: EvasionGateSpec): EvasionGateSpec {
  const problem = patchProblem(spec);
  if (problem) throw new RefusedError('usage', `--${problem.path.join()}: ${problem.message}`);
  return spec;
}

/** A radius that leaves every value free. */
function widestRange({ minimum, maximum }: SampleSet): number {
  return maximum.reduce((widest, high, i) => Math.max(widest, high - minimum[i]!), 0);
}
