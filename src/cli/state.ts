import { existsSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { RefusedError } from '../core/errors/index.js';

/** The layout of the state folder: everything that Assay keeps on this machine. */
export interface StatePaths {
  readonly folder: string;
  readonly storeFolder: string;
  /** URL of the store: `ASSAY_STORE`, or the one in the state folder. */
  readonly store: string;
  readonly database: string;
  readonly privateKey: string;
  /** The secret with which workers seal what they record. */
  readonly recordsKey: string;
  readonly publicKey: string;
  readonly trust: string;
  readonly clients: string;
  readonly gatewayMarks: string;
  readonly scratch: string;
  readonly logs: string;
  readonly up: string;
  /** Who may run things for this state folder: see {@link claimState}. */
  readonly claim: string;
}

export function statePaths(folder: string, env: NodeJS.ProcessEnv = process.env): StatePaths {
  const root = path.resolve(folder);
  const inside = (...parts: string[]) => path.join(root, ...parts);
  return {
    folder: root,
    storeFolder: inside('store'),
    store: env.ASSAY_STORE ?? pathToFileURL(inside('store')).href,
    database: inside('temporal.db'),
    privateKey: inside('keys', 'signing.pem'),
    recordsKey: inside('keys', 'records.key'),
    publicKey: inside('keys', 'signing.pub.pem'),
    trust: inside('trust.yaml'),
    clients: inside('clients.json'),
    gatewayMarks: inside('gateway-marks.json'),
    scratch: inside('scratch'),
    logs: inside('logs'),
    up: inside('up.json'),
    claim: inside('up.claim'),
  };
}

const processSchema = z.strictObject({
  pid: z.int(),
  /** Start time of that process, so that a recycled pid is not mistaken for it. */
  pidStartedAt: z.string(),
});

const upSchema = processSchema.extend({
  temporal: z.strictObject({ address: z.string(), namespace: z.string(), ui: z.string().optional() }),
  gateway: z.string(),
});

/** What `assay up` runs, for the commands that talk to it. */
export type Up = z.infer<typeof upSchema>;

/** What runs now on behalf of this state folder, or undefined when nothing does. */
export function readUp(paths: StatePaths): Up | undefined {
  return livingProcess(upSchema, paths.up);
}

/**
 * Makes this process the only one that runs things for a state folder, from before the first of them starts: two servers
 * on one database would lose each other's runs. The claim of a process that was killed counts for nothing.
 *
 * @returns gives the claim back
 * @throws RefusedError `server-running`
 */
export function claimState(paths: StatePaths): () => void {
  const mine = `${paths.claim}.${process.pid}`;
  writeFileWhole(mine, JSON.stringify({ pid: process.pid, pidStartedAt: processStart(process.pid) ?? '' }));
  try {
    // Linked, not written, so that nobody reads half a claim; and a link never replaces another's.
    while (!linked(mine, paths.claim)) {
      const holder = claimHolder(paths);
      // `up --detach` hands its claim on to the process that it starts.
      if (holder === process.ppid) {
        renameSync(mine, paths.claim);
        break;
      }
      if (holder !== undefined)
        throw new RefusedError('server-running', `Process ${holder} runs for ${paths.folder} already.`);
      rmSync(paths.claim, { force: true });
    }
  } finally {
    rmSync(mine, { force: true });
  }
  return () => {
    if (claimHolder(paths) === process.pid) rmSync(paths.claim, { force: true });
  };
}

/** The process that runs, starts or stops things for this state folder. */
export function claimHolder(paths: StatePaths): number | undefined {
  return livingProcess(processSchema, paths.claim)?.pid;
}

function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** What a file says of a process, if it says so and that process lives. */
function livingProcess<T extends z.infer<typeof processSchema>>(
  schema: z.ZodType<T>,
  file: string,
): T | undefined {
  try {
    const found = schema.parse(JSON.parse(readFileSync(file, 'utf8')));
    return processStart(found.pid) === found.pidStartedAt ? found : undefined;
  } catch {
    return undefined;
  }
}

export function writeUp(paths: StatePaths, up: Omit<Up, 'pid' | 'pidStartedAt'>): void {
  const record: Up = { pid: process.pid, pidStartedAt: processStart(process.pid) ?? '', ...up };
  writeFileWhole(paths.up, JSON.stringify(record, undefined, 2));
}

export function removeUp(paths: StatePaths): void {
  rmSync(paths.up, { force: true });
}

/** Writes a file that appears whole or not at all. */
export function writeFileWhole(file: string, content: string, mode = 0o644): void {
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  const partial = `${file}.${process.pid}.partial`;
  writeFileSync(partial, content, { mode });
  renameSync(partial, file);
}

/** When a process started, in the kernel's own words; undefined when there is none. */
function processStart(pid: number): string | undefined {
  try {
    // Field 22 of proc(5) stat; the name in field 2 may hold anything, so count from behind it.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    if (existsSync('/proc/self/stat')) return undefined;
    return isAlive(pid) ? 'unknown' : undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
