import path from 'node:path';

/** The command of the built-in trainer, for `runTrainer`. Programs run compiled code: from a `.ts` file, its twin in `dist`. */
export function builtInCommand(): readonly string[] {
  const folder = __filename.endsWith('.ts')
    ? path.resolve(__dirname, '../../../../dist/core/training/built-in')
    : __dirname;
  return [process.execPath, path.join(folder, 'main.js')];
}
