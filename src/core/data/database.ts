import { type DuckDBConnection, DuckDBInstance, type DuckDBResult, type JS } from '@duckdb/node-api';
import { TransientError } from '../errors/index.js';

/** What a query may hold in memory before it goes to the temporary folder. */
const MEMORY_LIMIT = '1GB';

/** DuckDB, shut in: it can touch one folder and nothing else, whatever SQL reaches it. */
export interface Database {
  run(sql: string): Promise<void>;
  rows(sql: string): Promise<Record<string, JS>[]>;
  /** Streams a result that may not fit in memory. */
  stream(sql: string): Promise<DuckDBResult>;
  close(): void;
}

/**
 * Opens an in-memory database that reads and writes below `folder` only.
 *
 * One thread: with more, the order of rows, of Parquet row groups and of floating-point sums depends on scheduling,
 * and so would digests. No extension is ever loaded from outside, and the configuration is locked, so hostile text
 * that got into SQL could neither reach another file nor lift the limits.
 */
export async function openDatabase(folder: string, signal?: AbortSignal): Promise<Database> {
  signal?.throwIfAborted();
  const instance = await DuckDBInstance.create(':memory:', {
    threads: '1',
    memory_limit: MEMORY_LIMIT,
    temp_directory: `${folder}/spill`,
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  });
  const connection = await instance.connect();
  const interrupt = () => connection.interrupt();
  signal?.addEventListener('abort', interrupt, { once: true });

  const faultsOf = async <T>(call: (connection: DuckDBConnection) => Promise<T>): Promise<T> => {
    signal?.throwIfAborted();
    try {
      return await call(connection);
    } catch (error) {
      signal?.throwIfAborted();
      throw asFault(error);
    }
  };
  const database: Database = {
    run: (sql) => faultsOf(async (open) => void (await open.run(sql))),
    rows: (sql) => faultsOf(async (open) => (await open.runAndReadAll(sql)).getRowObjectsJS()),
    stream: (sql) => faultsOf((open) => open.stream(sql)),
    close() {
      signal?.removeEventListener('abort', interrupt);
      connection.closeSync();
      instance.closeSync();
    },
  };
  await database.run(`SET allowed_directories = [${literal(`${folder}/`)}]`);
  await database.run('SET enable_external_access = false');
  await database.run('SET lock_configuration = true');
  return database;
}

/** A text as SQL: a string literal, whatever is in it. @throws TypeError for a NUL, which ends a statement */
export function literal(text: string): string {
  if (text.includes('\0')) throw new TypeError('expected text without NUL');
  return `'${text.replaceAll("'", "''")}'`;
}

/** A column name as SQL. @throws TypeError for a NUL */
export function identifier(name: string): string {
  if (name.includes('\0')) throw new TypeError('expected a name without NUL');
  return `"${name.replaceAll('"', '""')}"`;
}

function asFault(error: unknown): unknown {
  const message = error instanceof Object && 'message' in error ? String(error.message) : '';
  return /Out of Memory Error|No space left|Input\/output error|Too many open files/.test(message)
    ? new TransientError(`cannot query the data: ${message}`, { cause: error })
    : error;
}
