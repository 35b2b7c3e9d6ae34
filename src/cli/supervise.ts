import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, mkdirSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Supervised {
  /** The first line that the process printed: by convention one JSON object that says it is ready. */
  readonly ready: Promise<string>;
  /** SIGTERM, then SIGKILL after five seconds. No restart follows. */
  stop(): Promise<void>;
}

export interface SuperviseOptions {
  readonly name: string;
  /** Compiled entry point and its arguments, run by this Node. */
  readonly arguments: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Folder of the log files; each process appends to its own. */
  readonly logs: string;
}

const longestPauseMs = 10_000;
const graceMs = 5_000;

/**
 * Keeps a process running: starts it again when it dies, after a pause that doubles up to ten seconds. Its stdin is a
 * pipe from here, so a process started with `--stop-with-parent` ends when this one does, however that happens.
 */
export function supervise(options: SuperviseOptions): Supervised {
  mkdirSync(options.logs, { recursive: true });
  const log = createWriteStream(path.join(options.logs, `${options.name}.log`), { flags: 'a' });
  const stopping = new AbortController();
  let child: ChildProcess | undefined;
  let announce!: (line: string) => void;
  let fail!: (error: Error) => void;
  const ready = new Promise<string>((resolve, reject) => {
    announce = resolve;
    fail = reject;
  });
  ready.catch(() => undefined);

  const running = (async () => {
    for (let pauseMs = 250; !stopping.signal.aborted; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
      const startedAt = Date.now();
      child = spawn(process.execPath, [...options.arguments], {
        stdio: ['pipe', 'pipe', 'pipe'],
        env: options.env,
      });
      child.stdin?.on('error', () => undefined);
      let lastWords = '';
      createInterface({ input: child.stdout! }).on('line', (line) => {
        log.write(`${line}\n`);
        announce(line);
      });
      createInterface({ input: child.stderr! }).on('line', (line) => {
        log.write(`${line}\n`);
        lastWords = line;
      });
      const [code] = (await once(child, 'close')) as [number | null];
      if (stopping.signal.aborted) break;
      // What was wrong on the command line stays wrong.
      if (code === 2) return fail(new Error(`${options.name}: ${lastWords}`));
      log.write(`${options.name} ended with ${code ?? 'a signal'}; it is started again.\n`);
      if (Date.now() - startedAt > 60_000) pauseMs = 250;
      await sleep(pauseMs, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  })();

  return {
    ready,
    async stop() {
      stopping.abort();
      if (child && child.exitCode === null && child.signalCode === null) {
        child.kill('SIGTERM');
        const kill = setTimeout(() => child?.kill('SIGKILL'), graceMs);
        await running;
        clearTimeout(kill);
      }
      await running;
      log.end();
    },
  };
}
