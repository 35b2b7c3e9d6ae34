/** Runs the example with the command line, as a user does. */

import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '../..');
const example = path.join(root, 'examples/digits');

/** A lifecycle's `serving` block that has everything on. */
export const everythingOn = `
serving:
  scopes:
    public:
      reveals: { decimals: 3, noise: 0.1 }
      budget: { perMinute: 1000000000, perDay: 1000000000000 }
      watch: { falseAlarmRate: 0.001, action: log }
`;

/** @returns `assay ARGS…` with a state folder of its own, whose answer is its JSON */
export function assayIn(state) {
  return (...args) => {
    const output = execFileSync(process.execPath, [path.join(root, 'dist/cli/main.js'), '--json', ...args], {
      encoding: 'utf8',
      env: { ...process.env, ASSAY_STATE: state },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return JSON.parse(output.trim().split('\n').at(-1));
  };
}

/** Runs the example's lifecycle, changed, and gives the outcome: it must be a release. */
export function release(assay, folder, name, change) {
  const project = path.join(folder, 'project');
  mkdirSync(project, { recursive: true });
  cpSync(path.join(example, 'digits.csv'), path.join(project, 'digits.csv'));
  const file = path.join(project, `${name}.yaml`);
  writeFileSync(file, change(readFileSync(path.join(example, 'lifecycle.yaml'), 'utf8')));
  const outcome = assay('run', file);
  if (outcome.status !== 'released') throw new Error(JSON.stringify(outcome));
  return outcome;
}

/** Pixels of each digit of the example. */
export function readDigits() {
  const rows = readFileSync(path.join(example, 'digits.csv'), 'utf8').trim().split('\n').slice(1);
  return rows.map((row) =>
    row
      .split(',')
      .slice(1, -1)
      .map((pixel) => Number(pixel) / 16),
  );
}
