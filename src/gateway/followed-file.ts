import type { Logger } from 'pino';

/** What a file says, as it was when it last made sense. */
export interface FollowedFile<Content> {
  readonly current: () => Content;
  /** Reads the file again. Never rejects: a file that is broken changes nothing. */
  readonly refresh: () => Promise<void>;
}

/**
 * Reads a file, and follows it while it changes.
 *
 * @param what - names it in the log
 * @throws whatever `readText` and `parse` throw, when the file cannot be used at the start
 */
export async function followFile<Content>(
  what: string,
  readText: () => Promise<string>,
  parse: (text: string) => Content | Promise<Content>,
  log: Logger,
): Promise<FollowedFile<Content>> {
  let text = await readText();
  let content = await parse(text);
  let failing = false;
  return {
    current: () => content,
    async refresh() {
      try {
        const next = await readText();
        failing = false;
        if (next === text) return;
        // Remembered before it is understood, so that a broken file is reported once and not on every poll.
        text = next;
        content = await parse(next);
        log.info({ file: what }, 'read again');
      } catch (error) {
        if (!failing) log.error({ err: error, file: what }, 'the file cannot be used: all stays as it was');
        failing = true;
      }
    },
  };
}
