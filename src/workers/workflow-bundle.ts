import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { bundleWorkflowCode } from '@temporalio/worker';

/**
 * The bundled workflow code, built once for each state of its sources and kept beside them: a cold bundle takes
 * seconds, and a worker process is started often.
 */
export async function workflowBundle(): Promise<{ codePath: string }> {
  const sources = path.resolve(__dirname, '../workflows');
  const codePath = path.join(__dirname, '..', 'bundles', `workflows-${fingerprint(sources)}.js`);
  if (!existsSync(codePath)) {
    const { code } = await bundleWorkflowCode({
      workflowsPath: require.resolve('../workflows'),
      logger: { log() {}, trace() {}, debug() {}, info() {}, warn() {}, error: console.error },
    });
    mkdirSync(path.dirname(codePath), { recursive: true });
    const partial = `${codePath}.${process.pid}`;
    writeFileSync(partial, code);
    renameSync(partial, codePath);
  }
  return { codePath };
}

/** Workflow code and what it may import: the names and contents of both. */
function fingerprint(workflows: string): string {
  const hash = createHash('sha256');
  for (const folder of [
    workflows,
    path.resolve(workflows, '../core/spec'),
    path.resolve(workflows, '../core/rollout'),
  ]) {
    if (!existsSync(folder)) continue;
    for (const file of readdirSync(folder).sort()) {
      if (!/\.(js|ts)$/.test(file) || file.endsWith('.d.ts')) continue;
      hash.update(`${file}\0`).update(readFileSync(path.join(folder, file)));
    }
  }
  return hash.digest('hex').slice(0, 16);
}
