import { Reader, Writer } from 'protobufjs/minimal.js';
import { type Message, type MessageName, type ScalarName, wireSchema } from './wire-schema.js';

/** Thrown for bytes that are no message of the schema; `decodeModel` turns it into a refusal. */
export class WireError extends Error {
  override readonly name = 'WireError';
}

/** A graph inside an attribute costs three levels: about twelve graphs inside each other. */
const maxDepth = 40;

interface Field {
  readonly name: string;
  readonly number: number;
  readonly type: string;
  readonly repeated: boolean;
  /** What is in the field, `dropped` and `refused` ones too. */
  readonly content: { readonly type: string; readonly repeated: boolean };
}

export const fieldsByNumber: ReadonlyMap<string, ReadonlyMap<number, Field>> = new Map<
  string,
  ReadonlyMap<number, Field>
>(
  Object.entries(wireSchema).map(([message, fields]) => [
    message,
    new Map(
      Object.entries(fields).map(([name, [number, type, content = type]]) => [
        number,
        { name, number, ...arity(type), content: arity(content) },
      ]),
    ),
  ]),
);

function arity(type: string): { readonly type: string; readonly repeated: boolean } {
  return { type: type.replace('[]', ''), repeated: type.endsWith('[]') };
}

const varint = 0;
const fixed64 = 1;
export const delimited = 2;
const fixed32 = 5;

export const scalars: Readonly<Record<ScalarName, { wireType: number; read(reader: Reader): unknown }>> = {
  int: { wireType: varint, read: (reader) => safeInteger(signed64(reader)) },
  int64: { wireType: varint, read: signed64 },
  uint64: { wireType: varint, read: (reader) => BigInt.asUintN(64, signed64(reader)) },
  float: { wireType: fixed32, read: (reader) => reader.float() },
  double: { wireType: fixed64, read: (reader) => reader.double() },
  string: { wireType: delimited, read: (reader) => utf8(reader.bytes()) },
  bytes: { wireType: delimited, read: (reader) => reader.bytes() },
};

// Replacement characters would let two different names look alike.
const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Reads one message. Refuses what protobuf readers usually forgive: unknown fields, a singular field given twice,
 * text that is not UTF-8.
 *
 * @throws WireError naming the message and field
 */
export function readMessage<M extends MessageName>(name: M, bytes: Uint8Array): Message<M> {
  try {
    return read(name, Reader.create(bytes), bytes.length, 0) as Message<M>;
  } catch (error) {
    if (error instanceof WireError) throw error;
    // protobufjs has no error class of its own: truncated and overlong input come as RangeError or Error.
    throw new WireError(`${name}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function read(message: string, reader: Reader, end: number, depth: number): Record<string, unknown> {
  if (depth > maxDepth) throw new WireError(`messages are nested deeper than ${maxDepth}`);
  const fields = fieldsByNumber.get(message)!;
  const values: Record<string, unknown> = {};
  while (reader.pos < end) {
    const tag = reader.tag();
    const wireType = tag & 7;
    const field = fields.get(tag >>> 3);
    if (!field || field.type === 'refused') {
      throw new WireError(`${message}.${field?.name ?? `field ${tag >>> 3}`} is not supported`);
    }
    if (field.type === 'dropped') {
      reader.skipType(wireType);
    } else if (field.repeated) {
      values[field.name] ??= [];
      readRepeated(values[field.name] as unknown[], message, field, wireType, reader, depth);
    } else {
      if (field.name in values) throw new WireError(`${message}.${field.name} is given twice`);
      values[field.name] = readValue(message, field, wireType, reader, depth);
    }
  }
  if (reader.pos !== end) throw new WireError(`${message} ends inside a field`);
  return values;
}

function readRepeated(
  into: unknown[],
  message: string,
  field: Field,
  wireType: number,
  reader: Reader,
  depth: number,
): void {
  const scalar = scalars[field.type as ScalarName];
  // Writers may pack numbers or not; readers must take both.
  if (scalar && scalar.wireType !== delimited && wireType === delimited) {
    const end = endOfNested(message, field, reader);
    while (reader.pos < end) into.push(scalar.read(reader));
    if (reader.pos !== end) throw new WireError(`${message}.${field.name} ends inside a number`);
  } else {
    into.push(readValue(message, field, wireType, reader, depth));
  }
}

function readValue(message: string, field: Field, wireType: number, reader: Reader, depth: number): unknown {
  const scalar = scalars[field.type as ScalarName];
  const expected = scalar ? scalar.wireType : delimited;
  if (wireType !== expected) {
    throw new WireError(`${message}.${field.name}: expected wire type ${expected}, got ${wireType}`);
  }
  if (scalar) return scalar.read(reader);
  return read(field.type, reader, endOfNested(message, field, reader), depth + 1);
}

function endOfNested(message: string, field: Field, reader: Reader): number {
  const length = reader.size();
  const end = reader.pos + length;
  if (end > reader.len) throw new WireError(`${message}.${field.name} is longer than the file`);
  return end;
}

export function signed64(reader: Reader): bigint {
  const { low, high } = reader.int64() as unknown as { readonly low: number; readonly high: number };
  return (BigInt(high) << 32n) | BigInt(low >>> 0);
}

function safeInteger(value: bigint): number {
  if (value > Number.MAX_SAFE_INTEGER || value < Number.MIN_SAFE_INTEGER) {
    throw new WireError(`integer ${value} does not fit in 53 bits`);
  }
  return Number(value);
}

function utf8(bytes: Uint8Array): string {
  try {
    return strictUtf8.decode(bytes);
  } catch {
    throw new WireError('text is not valid UTF-8');
  }
}

/**
 * Writes one message: fields in the schema's order, numbers packed, so equal messages give equal bytes.
 *
 * @returns bytes in a buffer of their own (protobufjs hands out slices of a pool)
 */
export function writeMessage<M extends MessageName>(name: M, message: Message<M>): Uint8Array {
  const writer = Writer.create();
  write(name, message as Readonly<Record<string, unknown>>, writer);
  return new Uint8Array(writer.finish());
}

function write(message: string, values: Readonly<Record<string, unknown>>, writer: Writer): void {
  for (const field of fieldsByNumber.get(message)!.values()) {
    const value = values[field.name];
    if (value === undefined) continue;
    const items = field.repeated ? (value as readonly unknown[]) : [value];
    const scalar = scalars[field.type as ScalarName];
    if (field.repeated && scalar && scalar.wireType !== delimited) {
      if (items.length === 0) continue;
      writer.uint32((field.number << 3) | delimited).fork();
      for (const item of items) writeScalar(field.type, item, writer);
      writer.ldelim();
      continue;
    }
    for (const item of items) {
      writer.uint32((field.number << 3) | (scalar ? scalar.wireType : delimited));
      if (scalar) {
        writeScalar(field.type, item, writer);
      } else {
        writer.fork();
        write(field.type, item as Readonly<Record<string, unknown>>, writer);
        writer.ldelim();
      }
    }
  }
}

function writeScalar(type: string, value: unknown, writer: Writer): void {
  if (type === 'int') writer.int64(value as number);
  else if (type === 'float') writer.float(value as number);
  else if (type === 'double') writer.double(value as number);
  else if (type === 'string') writer.string(value as string);
  else if (type === 'bytes') writer.bytes(value as Uint8Array);
  else throw new TypeError(`Assay writes no ${type} fields`);
}
