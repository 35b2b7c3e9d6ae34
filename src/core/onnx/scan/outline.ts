import { isUtf8 } from 'node:buffer';
import { Reader } from 'protobufjs/minimal.js';
import { delimited, fieldsByNumber, scalars, signed64 } from '../wire.js';
import type { MessageName } from '../wire-schema.js';
import type { ScanLimits } from './limits.js';

/** Bytes of the file from `start` up to, not including, `end`. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Integers of a field: how many, and the first of them. Floating-point values are counted only. */
export interface Numbers {
  count: number;
  readonly head: bigint[];
}

/** A message as it lies in the file. Tensors' data stays there: only its place is kept. */
export interface Outline extends Span {
  readonly message: MessageName;
  /** Such as `graph.node[3].attribute[0]`. */
  readonly path: () => string;
  readonly messages: Readonly<Record<string, readonly Outline[]>>;
  /** Text and bytes. */
  readonly spans: Readonly<Record<string, readonly Span[]>>;
  readonly numbers: Readonly<Record<string, Numbers>>;
}

/** What is wrong with the encoding itself. */
export interface Fault {
  readonly kind: 'malformed' | 'unknown-field' | 'given-twice' | 'too-deep' | 'too-many' | 'not-text';
  readonly where: string;
  readonly offset: number;
  readonly message: string;
}

/** Integers that are kept of one field: more than any shape has. */
const headLength = 128;
const mostFaults = 100;

interface Draft extends Span {
  readonly message: MessageName;
  readonly path: () => string;
  readonly messages: Record<string, Outline[]>;
  readonly spans: Record<string, Span[]>;
  readonly numbers: Record<string, Numbers>;
}

/** Thrown inside this file only: what follows in this message cannot be told apart any more. */
class Unreadable extends Error {}

/**
 * Walks through a file by the wire format, field by field, without building what it describes: memory goes by the number
 * of messages, which is limited, and time by the length of the file. Goes on behind what is broken wherever its length
 * is known, so that one fault hides no other.
 */
export function outlineModel(
  bytes: Uint8Array,
  limits: Pick<ScanLimits, 'depth' | 'messages'>,
): { readonly outline: Outline; readonly faults: readonly Fault[] } {
  const reader = Reader.create(bytes);
  const faults: Fault[] = [];
  let count = 0;

  const report = (kind: Fault['kind'], where: string, offset: number, message: string): void => {
    if (faults.length < mostFaults) faults.push({ kind, where, offset, message });
  };

  const walk = (message: MessageName, end: number, depth: number, path: () => string): Outline => {
    const outline: Draft = {
      message,
      path,
      start: reader.pos,
      end,
      messages: Object.create(null),
      spans: Object.create(null),
      numbers: Object.create(null),
    };
    count += 1;
    const crowded = count > limits.messages;
    if (crowded || depth > limits.depth) {
      if (crowded && count === limits.messages + 1) {
        report('too-many', path(), reader.pos, `expected at most ${limits.messages} messages, got more`);
      } else if (!crowded) {
        const expected = `expected at most ${limits.depth} messages inside each other, got more`;
        report('too-deep', path(), reader.pos, expected);
      }
      reader.pos = end;
      return outline;
    }
    while (reader.pos < end) {
      const at = reader.pos;
      try {
        readField(outline, depth);
        if (reader.pos > end) throw new Unreadable(`a field of ${message} passes its end`);
      } catch (error) {
        // protobufjs has no error class of its own: truncated and overlong input come as RangeError or Error.
        const rest = depth === 0 ? `${end - at} bytes at the end of the file are no field: ` : '';
        report('malformed', path(), at, rest + (error as Error).message);
        break;
      }
    }
    reader.pos = end;
    return outline;
  };

  const readField = (outline: Draft, depth: number): void => {
    const at = reader.pos;
    const tag = reader.tag();
    const wireType = tag & 7;
    if (tag >>> 3 === 0) throw new Unreadable('no field has the number 0');
    const field = fieldsByNumber.get(outline.message)!.get(tag >>> 3);
    if (!field) {
      const where = outline.path();
      report('unknown-field', where, at, `${outline.message} has no field ${tag >>> 3}`);
      reader.skipType(wireType);
      return;
    }
    const { name, content } = field;
    const where = (): string => join(outline.path(), name);
    const scalar = Object.hasOwn(scalars, content.type)
      ? scalars[content.type as keyof typeof scalars]
      : undefined;
    const packed = scalar !== undefined && scalar.wireType !== delimited && wireType === delimited;
    if (wireType !== (scalar?.wireType ?? delimited) && !(packed && content.repeated)) {
      throw new Unreadable(`${name}: expected wire type ${scalar?.wireType ?? delimited}, got ${wireType}`);
    }
    const seen =
      (outline.messages[name]?.length ?? 0) +
      (outline.spans[name]?.length ?? 0) +
      (outline.numbers[name]?.count ?? 0);
    if (!content.repeated && seen > 0) {
      report(
        'given-twice',
        where(),
        at,
        `${name} is given more than once: readers differ in which one counts`,
      );
    }
    if (scalar && scalar.wireType !== delimited) {
      outline.numbers[name] ??= { count: 0, head: [] };
      const into = outline.numbers[name];
      if (packed) readPacked(into, scalar.wireType, spanOf());
      else readOne(into, scalar.wireType);
      return;
    }
    const span = spanOf();
    if (scalar) {
      outline.spans[name] ??= [];
      outline.spans[name].push(span);
      count += 1;
      if (count === limits.messages + 1) {
        report('too-many', where(), at, `expected at most ${limits.messages} messages and texts, got more`);
      }
      if (count > limits.messages) outline.spans[name].pop();
      reader.pos = span.end;
      if (content.type === 'string' && !isUtf8(bytes.subarray(span.start, span.end))) {
        report('not-text', where(), span.start, 'expected text in UTF-8, got other bytes');
      }
      return;
    }
    outline.messages[name] ??= [];
    const into = outline.messages[name];
    const index = content.repeated ? `[${into.length}]` : '';
    into.push(walk(content.type as MessageName, span.end, depth + 1, () => `${where()}${index}`));
  };

  const spanOf = (): Span => {
    // In 64 bits: a length that only looks small in 32 would be another one to other readers.
    const length = Number(signed64(reader));
    const start = reader.pos;
    if (length < 0 || length > reader.len - start) {
      throw new Unreadable(`expected ${length} bytes more, got ${reader.len - start}`);
    }
    return { start, end: start + length };
  };

  const readOne = (into: Numbers, wireType: number): void => {
    if (wireType === 0) keep(into, signed64(reader));
    else {
      reader.skipType(wireType);
      into.count += 1;
    }
  };

  const readPacked = (into: Numbers, wireType: number, { end }: Span): void => {
    const { pos } = reader;
    if (wireType !== 0) {
      const width = wireType === 5 ? 4 : 8;
      if ((end - pos) % width !== 0) throw new Unreadable('packed numbers end inside a number');
      into.count += (end - pos) / width;
    } else {
      while (reader.pos < end && into.head.length < headLength) keep(into, signed64(reader));
      into.count += countVarints(bytes, reader.pos, end);
    }
    reader.pos = end;
  };

  const outline = walk('Model', bytes.length, 0, () => '');
  return { outline, faults };
}

function keep(into: Numbers, value: bigint): void {
  into.count += 1;
  if (into.head.length < headLength) into.head.push(value);
}

/** Without decoding them: each ends in a byte below 128, and has at most ten. */
function countVarints(bytes: Uint8Array, start: number, end: number): number {
  if (start > end) throw new Unreadable('packed numbers end inside a number');
  let count = 0;
  let last = start - 1;
  for (let at = start; at < end; at++) {
    if (bytes[at]! < 128) {
      count += 1;
      last = at;
    } else if (at - last >= 10) throw new Unreadable('a number is longer than ten bytes');
  }
  if (last !== end - 1) throw new Unreadable('packed numbers end inside a number');
  return count;
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}
