import type { Logger } from 'pino';
import { type ApiClient, readClients } from '../core/serving/index.js';

/** The clients that a gateway knows, as its file last said. */
export interface KnownClients {
  readonly current: () => readonly ApiClient[];
  /** Reads the file again. Never rejects: a file that is broken changes nothing. */
  readonly refresh: () => Promise<void>;
}

/**
 * @param readText - reads the clients file
 * @throws RefusedError `clients-invalid` when the file cannot be used at the start
 */
export async function knownClients(readText: () => Promise<string>, log: Logger): Promise<KnownClients> {
  let text = await readText();
  let clients = readClients(text);
  let failing = false;
  return {
    current: () => clients,
    async refresh() {
      try {
        const next = await readText();
        failing = false;
        if (next === text) return;
        // Remembered before it is understood, so that a broken file is reported once and not on every poll.
        text = next;
        clients = readClients(next);
        log.info({ clients: clients.length }, 'clients file read again');
      } catch (error) {
        if (!failing)
          log.error({ err: error }, 'the clients file cannot be used: the clients stay as they were');
        failing = true;
      }
    },
  };
}
