import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { RefusedError } from '../../core/errors/index.js';
import {
  type Detector,
  detectors,
  type Inspection,
  inspect,
  type SuspectData,
} from '../../core/poisoning/index.js';
import { modelsOf } from '../../core/training/index.js';
import { type CliContext, mark } from '../context.js';
import { registerDataCheck } from '../data/check.js';
import { registerDataInfer } from '../data/infer.js';
import { registerLineage } from '../data/lineage.js';
import { registerQuarantine } from '../data/quarantine.js';
import { registerAttest, registerRevoke } from '../data/revoke.js';
import { integerBetween } from '../integer-option.js';
import { addDataOptions } from '../model-and-data/data-options.js';
import { type DataOptions, listOption, numberBetween } from '../model-and-data/options.js';
import { readData } from '../model-and-data/read-data.js';

interface InspectOptions extends DataOptions {
  readonly detectors?: readonly string[];
  readonly falseAlarmRate: number;
  readonly seed: number;
  readonly output?: string;
  readonly check?: boolean;
}

/** Suspects of each detector that a person is shown. */
const SHOWN = 5;

/** `assay data …`: looks at data, with nothing but the data. */
export function registerData(program: Command, context: () => CliContext): void {
  const data = program.command('data').description('look at data before anything is trained on it');
  registerDataCheck(data, context);
  registerDataInfer(data, context);
  registerQuarantine(data, context);
  registerRevoke(data, context);
  registerAttest(data, context);
  registerLineage(data, context);
  const command = data
    .command('inspect')
    .description(
      'look for samples that somebody may have tampered with: wrong labels, outliers, copies, triggers, raters',
    );
  addDataOptions(command)
    .option(
      '--detectors <names>',
      `which to run; default: those of ${namesOfAll().join(',')} that fit the data`,
      listOption,
    )
    .option(
      '--false-alarm-rate <share>',
      'share of honest samples that each detector may flag',
      numberBetween(0, 0.5, true),
      0.01,
    )
    .option('--seed <n>', 'names all random choices', integerBetween(0, 999_999_999), 0)
    .option('--output <file>', 'write every suspect into this file, as JSON Lines')
    .option('--check', 'exit 3 when more samples are suspect than honest data would give')
    .action((options: InspectOptions) => inspectData(context(), options));
}

async function inspectData(cli: CliContext, options: InspectOptions): Promise<void> {
  const { set, file, digest } = await readData(options, { shape: undefined, classes: undefined });
  const { samples, classes, minimum, maximum, shape } = set;
  const { seed, falseAlarmRate } = options;
  const models = modelsOf(samples, { shape, classes: classes.length, minimum, maximum, seed });
  const { text, crowd } = set;
  const suspected = {
    ...samples,
    ...{ minimum, maximum, classes, shape },
    ...(text && { text }),
    ...(crowd && { crowd }),
  };
  const chosen = chooseDetectors(suspected, options.detectors);
  const inspections: Inspection[] = [];
  for (const detector of chosen) {
    inspections.push(await inspect(detector, suspected, { seed, falseAlarmRate, ...models }));
  }
  if (options.output !== undefined)
    await writeFile(options.output, suspectLines(inspections), { flag: 'wx' });
  cli.say(
    mark.bold(`${samples.ids.length} samples of ${file}`),
    ...set.notes.map((note) => mark.dim(note)),
    ...inspections.flatMap((inspection) => describe(inspection, falseAlarmRate)),
  );
  if (options.output !== undefined) cli.say(`Written: ${options.output}`);
  cli.emit({
    version: 1,
    data: { file, digest, samples: samples.ids.length },
    falseAlarmRate,
    seed,
    inspections,
  });
  if (options.check && inspections.some(({ status }) => status === 'suspicious')) cli.refuse();
}

function namesOfAll(): readonly string[] {
  return detectors.map(({ name }) => name);
}

/** Those named, or all that can say anything of such data. */
function chooseDetectors(data: SuspectData, names?: readonly string[]): readonly Detector[] {
  if (!names) return detectors.filter(({ lacks }) => lacks?.(data) === undefined);
  return names.map((name) => {
    const found = detectors.find((detector) => detector.name === name);
    const lacking = found?.lacks?.(data);
    if (found && lacking === undefined) return found;
    if (found) throw new RefusedError('usage', `--detectors ${name}: ${lacking}`);
    throw new RefusedError('usage', `--detectors: expected some of ${namesOfAll().join(', ')}, got ${name}`);
  });
}

function describe(
  { detector, looksFor, finds, suspects, counted, status, figures }: Inspection,
  falseAlarmRate: number,
): readonly string[] {
  const honest = Math.round(counted * falseAlarmRate);
  const verdict =
    status === 'clean'
      ? `${mark.good} no more than the ${honest} or so that honest data would give`
      : `${mark.bad} honest data would give ${honest} or so`;
  return [
    '',
    `${mark.bold(detector)}: ${suspects.length} of ${counted} ${finds} suspect (${looksFor}); ${verdict}`,
    ...Object.entries(figures).map(([name, value]) => `  ${name}: ${Number(value.toPrecision(3))}`),
    ...suspects.slice(0, SHOWN).map(({ id, reason }) => `  - ${id}: ${reason}`),
    ...(suspects.length > SHOWN ? [mark.dim(`  and ${suspects.length - SHOWN} more; see --output`)] : []),
  ];
}

function suspectLines(inspections: readonly Inspection[]): string {
  return inspections
    .flatMap(({ detector, suspects }) =>
      suspects.map((suspect) => `${JSON.stringify({ detector, ...suspect })}\n`),
    )
    .join('');
}
