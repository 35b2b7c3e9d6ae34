import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { RefusedError } from '../../errors/index.js';
import { builtInParametersSchema } from '../../spec/index.js';
import { type TrainerEvent, trainerExit } from '../trainer.js';
import { trainBuiltIn } from './train-built-in.js';

/** The built-in trainer as a program: see `trainer.ts` for its arguments, events and exit codes. */
async function main(): Promise<void> {
  const { snapshot, parameters, seed, output, resume } = readArguments();
  await trainBuiltIn({
    snapshotFolder: snapshot,
    filesFolder: process.cwd(),
    parameters: await readParameters(parameters),
    seed,
    outputFolder: output,
    ...(resume !== undefined && { resumeFrom: resume }),
    emit: (event: TrainerEvent) => process.stdout.write(`${JSON.stringify(event)}\n`),
    warn: (message) => process.stderr.write(`${message}\n`),
    nowMs: () => performance.now(),
  });
}

function readArguments() {
  const { values } = parseArgs({
    options: {
      snapshot: { type: 'string' },
      parameters: { type: 'string' },
      seed: { type: 'string' },
      output: { type: 'string' },
      resume: { type: 'string' },
    },
  });
  const { snapshot, parameters, output, resume } = values;
  const seed = Number(values.seed);
  if (snapshot === undefined || parameters === undefined || output === undefined) {
    throw new RefusedError('usage', 'expected --snapshot DIR --parameters FILE --seed N --output DIR');
  }
  if (!/^\d+$/.test(values.seed ?? '') || seed >= 2 ** 32) {
    throw new RefusedError('usage', `expected --seed to be an integer in [0, 2³²), got ${values.seed}`);
  }
  return { snapshot, parameters, seed, output, resume };
}

async function readParameters(file: string) {
  const parsed = builtInParametersSchema.safeParse(JSON.parse(await readFile(file, 'utf8')));
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(
    ({ path, message }) => `${['parameters', ...path].join('.')}: ${message}`,
  );
  throw new RefusedError('training-refused', problems.join('; '), problems);
}

main().catch((error: unknown) => {
  if (!(error instanceof RefusedError)) throw error;
  process.stderr.write(`${error.message}\n`);
  const isOfData = error.code.startsWith('data') || error.code.startsWith('snapshot');
  process.exitCode = isOfData ? trainerExit.dataRefused : trainerExit.parametersRefused;
});
