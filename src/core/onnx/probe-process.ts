import { readFileSync, writeFileSync, writeSync } from 'node:fs';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import type { ProbeAnswer, ProbeLimits } from './probe-model.js';
import { type LoadedModel, loadModel } from './runtime.js';
import type { Feeds } from './session.js';
import { dataConstructors } from './tensor.js';

/** Milliseconds between two looks at memory and time. */
const lookMs = 10;
/** Elements of the input that is tried. */
const mostElements = 2 ** 24;

/**
 * A process that loads the model on its standard input and runs it once on zeros. ONNX Runtime cannot be interrupted, so a
 * thread beside it watches memory and time, and ends the whole process; also when the process that asked is gone.
 */
async function probe(limits: ProbeLimits): Promise<void> {
  try {
    // Where memory runs out sooner than our limit, let the kernel end this process before any other.
    writeFileSync('/proc/self/oom_score_adj', '1000');
  } catch {
    // Other systems have no such file.
  }
  new Worker(__filename, { workerData: { limits, parent: process.ppid } });
  let model: LoadedModel;
  try {
    model = await loadModel(readFileSync(0));
  } catch (error) {
    answer({ kind: 'unloadable', message: messageOf(error) });
    process.exit();
  }
  const feeds = zeros(model);
  // Whether it likes this input is not asked: only whether it ends, and within its memory.
  if (feeds) await model.run(feeds).catch(() => undefined);
  answer({ kind: 'within-limits' });
  process.exit();
}

function watch({ limits, parent }: { readonly limits: ProbeLimits; readonly parent: number }): void {
  const started = performance.now();
  setInterval(() => {
    if (process.memoryUsage.rss() > limits.memoryBytes) answer({ kind: 'too-large' });
    else if (performance.now() - started > limits.timeMs) answer({ kind: 'too-slow' });
    else if (process.ppid === parent) return;
    process.kill(process.pid, 'SIGKILL');
  }, lookMs);
}

/** One sample: open lengths are 1. */
function zeros({ inputs }: LoadedModel): Feeds | undefined {
  const feeds = inputs.map(({ name, type, dims }) => {
    const lengths = dims.map((axis) => (typeof axis === 'number' && axis >= 0 ? axis : 1));
    const elements = lengths.reduce((product, length) => product * length, 1);
    if (type === 'string' || elements > mostElements) return undefined;
    return [name, { type, dims: lengths, data: new dataConstructors[type](elements) }] as const;
  });
  return feeds.every((feed) => feed !== undefined) ? Object.fromEntries(feeds) : undefined;
}

function answer(what: ProbeAnswer): void {
  writeSync(1, `${JSON.stringify(what)}\n`);
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

if (isMainThread) void probe(JSON.parse(process.argv[2]!) as ProbeLimits);
else watch(workerData as Parameters<typeof watch>[0]);
