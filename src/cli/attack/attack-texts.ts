import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { RefusedError } from '../../core/errors/index.js';
import { evaluateTexts, type ModelFile, type TextEvaluation } from '../../core/evaluation/index.js';
import { digestOf } from '../../core/store/index.js';
import { type CliContext, mark } from '../context.js';
import type { ReadData } from '../model-and-data/read-data.js';
import { columns } from '../report/columns.js';
import { commandLine } from '../report/command-line.js';
import { readEdits } from './read-edits.js';
import { textsPage } from './texts-page.js';
import type { TextsResult } from './texts-result.js';

/** Broken texts that a terminal shows. */
const SHOWN = 5;

export interface AttackTextsOptions {
  readonly edits: string;
  readonly samples: number;
  readonly seed: number;
  readonly minimum?: number;
  readonly confidence: number;
  readonly output?: string;
  readonly html?: string;
}

/**
 * `assay attack MODEL --edits FILE`: attacks a classifier of texts by edits of their words.
 *
 * @throws RefusedError `usage` where the data block has no text
 */
export async function attackTexts(
  cli: CliContext,
  file: string,
  model: ModelFile,
  { set, digest, file: source }: ReadData,
  options: AttackTextsOptions,
  signal: AbortSignal,
): Promise<void> {
  if (!set.text) throw new RefusedError('usage', '--edits: expected a lifecycle whose data block has a text');
  const adversary = await readEdits(options.edits);
  const line = process.stderr.isTTY && !cli.json ? process.stderr : undefined;
  const evaluation = await evaluateTexts({
    model,
    set,
    adversary,
    count: options.samples,
    minimum: options.minimum ?? 0,
    confidence: options.confidence,
    seed: options.seed,
    data: digest,
    onProgress: (fraction) => line?.write(`\r\x1b[2K  editing ${Math.floor(100 * fraction)} %`),
    signal,
  }).finally(() => line?.write('\r\x1b[2K'));
  const { rows, status, reasons, robust } = evaluation;
  const result: TextsResult = {
    version: 1,
    model: { file, digest: digestOf(model.onnx) },
    data: { file: source, digest, available: set.samples.ids.length, seed: options.seed },
    adversary: { ...adversary, synonyms: Object.fromEntries(adversary.synonyms) },
    classes: set.classes,
    notes: [...model.notes, ...set.notes],
    status: options.minimum === undefined && status === 'pass' ? 'measured' : status,
    // The first reason is about the minimum.
    reasons: options.minimum === undefined ? reasons.slice(1) : reasons,
    minimum: options.minimum ?? null,
    cleanAccuracy: rows.filter(({ correct }) => correct).length / rows.length,
    robustAccuracy: robust,
    rows,
    command: commandLine(process.argv.slice(2)),
  };
  if (options.output !== undefined) {
    await mkdir(options.output, { recursive: true });
    const content = `${JSON.stringify(result, null, 2)}\n`;
    await writeFile(path.join(options.output, 'result.json'), content, { flag: 'wx' });
  }
  if (options.html !== undefined) {
    const { texts } = set.text;
    const page = textsPage(result, (id) => texts[set.samples.ids.indexOf(id)]!);
    await writeFile(options.html, page, { flag: 'wx' });
  }
  cli.say(...tableOf(file, evaluation, set), ...verdictOf(result));
  if (options.output !== undefined) cli.say(`Written: ${options.output}`);
  if (options.html !== undefined) cli.say(`Report: ${options.html}`);
  cli.emit(result);
  if (options.minimum !== undefined && status !== 'pass') cli.refuse();
}

function tableOf(
  file: string,
  { rows, robust }: TextEvaluation,
  { text, samples, classes, notes }: ReadData['set'],
): readonly string[] {
  const right = rows.filter(({ correct }) => correct).length;
  const broken = rows.filter(({ attack }) => attack?.broken);
  const name = (index: number): string => (index < 0 ? 'nothing' : `${classes[index] ?? index}`);
  return [
    mark.bold(`${file}: ${rows.length} of ${samples.ids.length} texts`),
    ...notes.map((note) => mark.dim(`  ${note}`)),
    '',
    ...columns([
      ['', 'attacked', 'broken', 'robust accuracy'],
      ['no attack', `${rows.length}`, `${rows.length - right}`, (right / rows.length).toFixed(4)],
      ['edits', `${right}`, `${broken.length}`, robust.estimate.toFixed(4)],
    ]),
    '',
    ...broken
      .slice(0, SHOWN)
      .flatMap(({ id, label, attack }) => [
        `  ${id}: ${name(label)}, edited taken for ${name(attack!.prediction)}`,
        mark.dim(`    − ${text!.texts[samples.ids.indexOf(id)]}`),
        mark.dim(`    + ${attack!.text}`),
      ]),
  ];
}

function verdictOf({
  status,
  reasons,
  minimum,
  robustAccuracy: { estimate, interval, confidence, n },
}: TextsResult): readonly string[] {
  const [low, high] = interval.map((bound) => bound.toFixed(4));
  const level = Number((100 * confidence).toFixed(4));
  return [
    mark.bold(`Robust accuracy ${estimate.toFixed(4)}, ${level} % interval [${low}, ${high}], n = ${n}`),
    `${minimum === null ? '' : `Minimum ${minimum}: `}${status}`,
    ...reasons.map((reason) => `  - ${reason}`),
  ];
}
