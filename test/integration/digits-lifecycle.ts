import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';

const example = path.resolve(__dirname, '../../examples/digits');

/** What a test wants otherwise than the shipped example has it. */
export interface DigitsChanges {
  readonly training: Readonly<Record<string, unknown>>;
  readonly gates: readonly Readonly<Record<string, unknown>>[];
  readonly release?: Readonly<Record<string, unknown>>;
  /** Spoils the data. */
  readonly rows?: (lines: readonly string[]) => readonly string[];
}

/**
 * Writes the shipped digits example with another training and other gates.
 * @returns the lifecycle file; its data lie beside it
 */
export function writeDigits(folder: string, { training, gates, release, rows }: DigitsChanges): string {
  const shipped = parse(readFileSync(path.join(example, 'lifecycle.yaml'), 'utf8')) as {
    readonly release: object;
  };
  const lines = readFileSync(path.join(example, 'digits.csv'), 'utf8').split(/\r?\n/);
  writeFileSync(path.join(folder, 'digits.csv'), (rows?.(lines) ?? lines).join('\n'));
  const file = path.join(folder, 'lifecycle.yaml');
  // JSON is YAML too.
  writeFileSync(
    file,
    JSON.stringify({ ...shipped, training, gates, release: { ...shipped.release, ...release } }),
  );
  return file;
}
