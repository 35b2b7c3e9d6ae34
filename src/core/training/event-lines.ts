import { TransientError } from '../errors/index.js';
import { type TrainerEvent, trainerEventSchema, trainerGiveUp } from './trainer.js';

/** Longest line of the contract in bytes: a trainer that never ends its line must not fill our memory. */
const longestLine = 65_536;

const newline = 0x0a;

/**
 * Cuts a byte stream into lines. The last, unterminated one is returned rather than handed on: whether it is an event
 * or the stump of a killed program is for the caller to know.
 *
 * @param onLine - called in order, one at a time; the stream waits for it
 * @throws TransientError for a line over 64 KiB
 */
export async function readLines(
  stream: AsyncIterable<Uint8Array>,
  onLine: (line: Uint8Array) => Promise<void>,
): Promise<Uint8Array> {
  let rest: Uint8Array[] = [];
  let held = 0;
  const hold = (part: Uint8Array): void => {
    held += part.length;
    if (held > longestLine) {
      throw new TransientError(`the trainer's output has a line over ${longestLine} bytes`, {
        giveUp: trainerGiveUp,
      });
    }
    rest.push(part);
  };
  for await (const chunk of stream) {
    let start = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      hold(chunk.subarray(start, end));
      const line = Buffer.concat(rest);
      rest = [];
      held = 0;
      start = end + 1;
      await onLine(line);
    }
    hold(chunk.subarray(start));
  }
  return Buffer.concat(rest);
}

/**
 * One line of a trainer's stdout as an event.
 *
 * @throws TransientError that quotes the line, for anything the contract does not know
 */
export function parseEvent(line: Uint8Array): TrainerEvent {
  let problem: string;
  try {
    const event = trainerEventSchema.safeParse(
      JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(line)),
    );
    if (event.success) return event.data;
    problem = event.error.issues
      .map((issue) => [issue.path.join('.'), issue.message].filter(Boolean).join(': '))
      .join('; ');
  } catch (error) {
    problem = error instanceof SyntaxError ? 'not JSON' : 'not UTF-8';
  }
  const quoted = JSON.stringify(Buffer.from(line.subarray(0, 200)).toString('utf8'));
  throw new TransientError(
    `expected each line of the trainer's stdout to be an event of the contract, got ${quoted}: ${problem}`,
    { giveUp: trainerGiveUp },
  );
}
