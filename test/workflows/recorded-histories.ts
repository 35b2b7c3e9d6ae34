import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import type { Client } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils';
import { DefaultLogger, makeTelemetryFilterString, Runtime, Worker } from '@temporalio/worker';
import { version } from '../../package.json';
import { workflowBundle } from '../../src/workers/workflow-bundle.js';

const folder = path.join(__dirname, 'histories');

/**
 * A history as Temporal writes it in JSON. The stored ones are of runs that may still be under way somewhere when a new
 * version is rolled out, so its workflow code must take them up where they are.
 */
export type StoredHistory = {
  events: readonly Readonly<Record<string, unknown>>[];
};

/** All stored histories: name and contents. */
export function storedHistories(): readonly (readonly [name: string, history: StoredHistory])[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => [name, JSON.parse(readFileSync(path.join(folder, name), 'utf8')) as StoredHistory]);
}

/**
 * Takes a workflow's history from the server, without what it says of this machine.
 *
 * With `ASSAY_RECORD_HISTORIES=1 npx jest test/integration` it is stored too, under the version of this package; stored
 * histories are never overwritten: while a version is unreleased, delete its own first.
 */
export async function recordHistory(
  temporal: Client,
  workflow: string,
  name: string,
): Promise<StoredHistory> {
  const recorded = await temporal.workflow.getHandle(workflow).fetchHistory();
  const history = withoutMachine(JSON.parse(historyToJSON(recorded))) as StoredHistory;
  if (process.env.ASSAY_RECORD_HISTORIES === '1') {
    const file = path.join(folder, version, `${name}.json`);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, `${JSON.stringify(history, null, 1)}\n`, { flag: 'wx' });
  }
  return history;
}

/**
 * Runs today's workflow code over a history.
 * @throws DeterminismViolationError when the code asks for something else than the history tells
 */
export async function replay(history: StoredHistory): Promise<void> {
  quietly();
  await Worker.runReplayHistory({ workflowBundle: await workflowBundle() }, history);
}

/** Changes every text of a history, those inside payloads included. */
export function mapTexts(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return value.map((entry) => mapTexts(entry, change));
  if (typeof value !== 'object' || value === null) return value;
  if (isJsonPayload(value)) return { ...value, data: encoded(change(decoded(value.data))) };
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, mapTexts(entry, change)]));
}

interface JsonPayload {
  readonly metadata: object;
  readonly data: string;
}

function isJsonPayload(value: object): value is JsonPayload {
  return (
    'metadata' in value &&
    'data' in value &&
    typeof value.data === 'string' &&
    decoded((value.metadata as { encoding?: string }).encoding ?? '') === 'json/plain'
  );
}

const decoded = (base64: string) => Buffer.from(base64, 'base64').toString('utf8');
const encoded = (text: string) => Buffer.from(text, 'utf8').toString('base64');

/** Hosts are in worker identities, and paths in the stack traces of failed attempts. */
function withoutMachine(history: unknown): unknown {
  const root = path.resolve(__dirname, '../..');
  return mapTexts(history, (text) =>
    text
      .replaceAll(`@${hostname()}`, '@host')
      .replaceAll(root, '')
      .replaceAll(/^ +at .*\n?/gm, ''),
  );
}

let quiet = false;
/** The SDK's core logs each replayed history. */
function quietly(): void {
  if (quiet) return;
  quiet = true;
  Runtime.install({
    logger: new DefaultLogger('ERROR'),
    telemetryOptions: {
      logging: { filter: makeTelemetryFilterString({ core: 'ERROR', other: 'ERROR' }), forward: {} },
    },
  });
}
