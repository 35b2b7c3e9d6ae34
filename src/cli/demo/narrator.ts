import { AssertionError } from 'node:assert';
import { execFile } from 'node:child_process';
import path from 'node:path';
import pc from 'picocolors';

/** How one call of the command line ended. */
export interface CommandResult {
  readonly exit: number;
  /** What it printed with `--json`. */
  readonly output: unknown;
}

/** Tells the story, and stops it when something does not happen as told. */
export interface Narrator {
  chapter(title: string): void;
  line(text: string): void;
  /** A claim that must hold; it is printed with a mark, or it ends the demo. */
  claim(holds: boolean, text: string): void;
  /** Runs `assay …` as a user would: a process of its own. */
  assay(...args: readonly string[]): Promise<CommandResult>;
}

const main = path.resolve(__dirname, '../main.js');

/** @param state - the state folder of every command */
export function createNarrator(state: string, say: (line: string) => void): Narrator {
  let chapters = 0;
  const startedAt = Date.now();
  const clock = () => pc.dim(`${((Date.now() - startedAt) / 1000).toFixed(0).padStart(4)} s`);
  return {
    chapter(title) {
      chapters += 1;
      say('');
      say(`${clock()}  ${pc.bold(`${chapters}. ${title}`)}`);
    },
    line: (text) => say(`        ${text}`),
    claim(holds, text) {
      say(`        ${holds ? pc.green('✓') : pc.red('✗')} ${text}`);
      if (!holds) throw new AssertionError({ message: `The demo did not go as told: ${text}` });
    },
    assay: (...args) =>
      new Promise((resolve, reject) => {
        execFile(
          process.execPath,
          [main, '--json', '--state', state, ...args],
          { maxBuffer: 64 * 2 ** 20 },
          (error, stdout, stderr) => {
            try {
              const last = stdout.trim().split('\n').at(-1) ?? '';
              resolve({
                exit: typeof error?.code === 'number' ? error.code : 0,
                output: last ? JSON.parse(last) : {},
              });
            } catch {
              reject(new Error(`assay ${args.join(' ')} printed no JSON: ${stdout}${stderr}`));
            }
          },
        );
      }),
  };
}
