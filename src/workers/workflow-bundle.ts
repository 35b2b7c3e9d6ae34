import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { bundleWorkflowCode } from '@temporalio/worker';
import { version as sdkVersion } from '@temporalio/workflow/package.json';

// Compiled code is bundled, also when tests load this file as TypeScript.
const compiled = path.resolve(__dirname, __filename.endsWith('.ts') ? '../../dist' : '..');

/**
 * The bundled workflow code, built once for each state of its sources and kept beside them: a cold bundle takes
 * seconds, and a worker process is started often.
 *
 * @param failureConverterPath - of the module that converts failures where payloads are sealed
 */
export async function workflowBundle(failureConverterPath?: string): Promise<{ codePath: string }> {
  const kind = failureConverterPath === undefined ? 'workflows' : 'sealed-workflows';
  const codePath = path.join(compiled, 'bundles', `${kind}-${fingerprint()}.js`);
  if (!existsSync(codePath)) {
    const { code } = await bundleWorkflowCode({
      workflowsPath: path.join(compiled, 'workflows'),
      ...(failureConverterPath !== undefined && { failureConverterPath }),
      logger: { log() {}, trace() {}, debug() {}, info() {}, warn() {}, error: console.error },
    });
    mkdirSync(path.dirname(codePath), { recursive: true });
    const partial = `${codePath}.${process.pid}`;
    writeFileSync(partial, code);
    renameSync(partial, codePath);
  }
  return { codePath };
}

/** Workflow code, what it may import, and the SDK that the bundle takes in: names and contents. */
function fingerprint(): string {
  const hash = createHash('sha256').update(sdkVersion);
  const sources = ['workflows', 'core/errors', 'core/spec', 'core/rollout'];
  for (const folder of sources.map((name) => path.join(compiled, name))) {
    if (!existsSync(folder)) continue;
    for (const file of readdirSync(folder).sort()) {
      if (!file.endsWith('.js')) continue;
      hash.update(`${file}\0`).update(readFileSync(path.join(folder, file)));
    }
  }
  return hash.digest('hex').slice(0, 16);
}
