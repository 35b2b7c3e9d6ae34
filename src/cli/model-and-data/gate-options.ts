import type { Command } from 'commander';
import { integerBetween } from '../integer-option.js';
import { listOption, numberBetween } from './options.js';

/** How a gate is put to anyone's file, as commander gives it. */
export interface GateOptions {
  readonly samples: number;
  readonly seed: number;
  readonly minimum?: number;
  readonly confidence: number;
  readonly html?: string;
  readonly allowDomain?: readonly string[];
}

/**
 * The options of every command that puts a gate to a model file.
 *
 * @param metric - what `--minimum` is about
 * @param samples - how many are drawn where nothing is said
 */
export function addGateOptions(command: Command, metric: string, samples: number): Command {
  return command
    .option('--samples <n>', 'how many samples are drawn', integerBetween(1, 100_000_000), samples)
    .option(
      '--seed <n>',
      'names the draw of samples and all random choices',
      integerBetween(0, 999_999_999),
      0,
    )
    .option(
      '--minimum <share>',
      `makes it a check: exit 3 unless ${metric} is surely at least this`,
      numberBetween(0, 1),
    )
    .option('--confidence <level>', 'of intervals', numberBetween(0.5, 1, true), 0.95)
    .option('--html <file>', 'write a report, one HTML page')
    .option(
      '--allow-domain <names>',
      'allow operators of these domains, such as com.microsoft: code that the runtime brings along',
      listOption,
    );
}
