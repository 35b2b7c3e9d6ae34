import { isUtf8 } from 'node:buffer';

/** One record of a text file: a line, or several where a CSV value in quotes spans them. */
export interface TextRecord {
  /** Without the line end; cut short where it is too long. */
  readonly bytes: Buffer;
  /** Commas outside quotes, and one. */
  readonly values: number;
  /** Why it cannot be read. */
  readonly fault?: string;
}

/** A longer record is refused: it would have to be held in memory as a whole. */
export const MAXIMUM_RECORD_BYTES = 1024 * 1024;

const COMMA = 0x2c;
const QUOTE = 0x22;
const LF = 0x0a;
const CR = 0x0d;
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);
type State = 'start' | 'plain' | 'quoted' | 'closed';

/**
 * Cuts a text file into records, strictly, in batches of one chunk. Blank lines are skipped.
 *
 * DuckDB's own reader accepts what it can make sense of: a trailing comma, a NUL, lines it skips without counting
 * them. Here nothing is repaired, every fault is given its record, and row numbers are exact. CSV is RFC 4180 with
 * commas; lines end in LF or CRLF; text is UTF-8, and a byte-order mark at the start is dropped.
 *
 * @param quoting - whether quotes protect commas and line ends (CSV), or every line is a record (JSON Lines)
 */
export async function* textRecords(
  source: AsyncIterable<Uint8Array>,
  quoting: boolean,
): AsyncGenerator<readonly TextRecord[]> {
  let state: State = 'start';
  let values = 1;
  let fault: string | undefined;
  let pieces: Uint8Array[] = [];
  let pieceBytes = 0;
  let first = true;
  let consumed = 0;

  const keep = (piece: Uint8Array) => {
    if (pieceBytes > MAXIMUM_RECORD_BYTES) fault ??= `more than ${MAXIMUM_RECORD_BYTES} bytes`;
    else pieces.push(piece);
    pieceBytes += piece.byteLength;
  };
  const finish = (): TextRecord | undefined => {
    let bytes = Buffer.concat(pieces);
    if (first && bytes.subarray(0, 3).equals(BYTE_ORDER_MARK)) bytes = bytes.subarray(3);
    if (bytes[bytes.length - 1] === CR) bytes = bytes.subarray(0, -1);
    if (state === 'quoted') fault ??= 'a quote that is never closed';
    const record = { bytes, values };
    const reason = fault ?? faultOf(bytes);
    first = false;
    state = 'start';
    values = 1;
    fault = undefined;
    pieces = [];
    pieceBytes = 0;
    if (bytes.length === 0) return undefined;
    return reason === undefined ? record : { ...record, fault: reason };
  };

  for await (const chunk of source) {
    const batch: TextRecord[] = [];
    let begin = 0;
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i]!;
      if (byte === LF && state !== 'quoted') {
        keep(chunk.subarray(begin, i));
        begin = i + 1;
        const record = finish();
        if (record) batch.push(record);
      } else if (!quoting) {
        // Every other byte belongs to the line.
      } else if (state === 'quoted') {
        if (byte === QUOTE) state = 'closed';
      } else if (byte === COMMA) {
        values += 1;
        state = 'start';
      } else if (byte === QUOTE) {
        if (state === 'plain') fault ??= 'a quote inside a value that has none around it';
        // After a closing quote this is the second half of an escaped one.
        else state = 'quoted';
      } else if (byte !== CR) {
        if (state === 'closed') fault ??= 'text after a closing quote';
        // The first value may begin with a quote after a byte-order mark.
        if (byte !== BYTE_ORDER_MARK[consumed + i]) state = 'plain';
      }
    }
    keep(chunk.subarray(begin));
    consumed += chunk.length;
    yield batch;
  }
  const last = finish();
  if (last) yield [last];
}

/** The values of a faultless CSV record. */
export function csvValues(record: TextRecord): readonly string[] {
  // With a comma before every value, none is empty to the pattern. It repeats no choice: that takes stack for every letter.
  const values = `,${record.bytes}`.matchAll(/,(?:"([^"]*(?:""[^"]*)*)"|([^,]*))/g);
  return Array.from(values, ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '');
}

function faultOf(bytes: Buffer): string | undefined {
  if (bytes.byteLength > MAXIMUM_RECORD_BYTES) return `more than ${MAXIMUM_RECORD_BYTES} bytes`;
  if (bytes.includes(0)) return 'a NUL byte';
  if (!isUtf8(bytes)) return 'bytes that are not UTF-8';
  for (let at = bytes.indexOf(CR); at >= 0; at = bytes.indexOf(CR, at + 1)) {
    if (bytes[at + 1] !== LF) return 'a carriage return without a line feed';
  }
  return undefined;
}
