import { RefusedError } from '../errors/index.js';
import type { OutputTensor } from './inference-response.js';

/**
 * The binary tensor data extension of the Open Inference Protocol: a JSON header, then the data of those tensors that say
 * `binary_data_size`, in their order, little-endian.
 *
 * Source: https://github.com/kserve/open-inference-protocol, "Binary Tensor Data Extension".
 */

/** A request whose binary tensors hold their data, as if it had come in JSON, and the outputs that are asked for in binary. */
export interface BinaryRequest {
  /** Trusted for nothing: see `readInferenceRequest`. */
  readonly body: unknown;
  readonly binaryOutputs: (name: string) => boolean;
}

type Json = Readonly<Record<string, unknown>>;

/**
 * Puts a request together.
 *
 * @param headerBytes - what the header `Inference-Header-Content-Length` says
 * @param bytes - the whole body
 * @throws RefusedError `request-invalid` when the parts do not fit together
 */
export function readBinaryRequest(headerBytes: number, bytes: Uint8Array): BinaryRequest {
  if (headerBytes > bytes.length)
    throw invalid(`a JSON header of ${headerBytes} bytes`, `a body of ${bytes.length}`);
  const header = parse(bytes.subarray(0, headerBytes));
  let at = headerBytes;
  const inputs = listOf(header.inputs).map((input, index) => {
    const size = parametersOf(input).binary_data_size;
    if (size === undefined) return input;
    const where = `inputs.${index}`;
    if (typeof size !== 'number' || !Number.isInteger(size) || size < 0 || at + size > bytes.length)
      throw invalid(
        `${where}.parameters.binary_data_size of at most ${bytes.length - at} bytes`,
        String(size),
      );
    if ('data' in input) throw invalid(`${where} without data, for it has binary_data_size`, 'both');
    const part = bytes.subarray(at, at + size);
    at += size;
    return { ...input, data: dataIn(part, input.datatype, where) };
  });
  if (at !== bytes.length) throw invalid(`${at} bytes, as the inputs say`, `${bytes.length}`);
  const byDefault = parametersOf(header).binary_data_output === true;
  const asked = new Map(
    listOf(header.outputs).map((output) => [output.name, parametersOf(output).binary_data]),
  );
  return {
    body: { ...header, inputs },
    binaryOutputs: (name) => asked.get(name) === true || (byDefault && asked.get(name) !== false),
  };
}

/** An answer with some of its outputs in binary: the body, and how much of it is JSON. */
export interface BinaryAnswer {
  readonly headerBytes: number;
  readonly body: Buffer;
}

/** @returns undefined when no output is asked for in binary */
export function writeBinaryAnswer(
  answer: { readonly outputs: readonly OutputTensor[] },
  isBinary: BinaryRequest['binaryOutputs'],
): BinaryAnswer | undefined {
  const parts: Buffer[] = [];
  const outputs = answer.outputs.map((output) => {
    if (!isBinary(output.name)) return output;
    const { data, ...described } = output;
    const part = bytesOf(output.datatype, data);
    parts.push(part);
    return { ...described, parameters: { binary_data_size: part.length } };
  });
  if (parts.length === 0) return undefined;
  const header = Buffer.from(JSON.stringify({ ...answer, outputs }));
  return { headerBytes: header.length, body: Buffer.concat([header, ...parts]) };
}

function parse(bytes: Uint8Array): Json {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json;
  } catch {
    // Said below.
  }
  throw invalid('a JSON object as long as Inference-Header-Content-Length says', 'something else');
}

/** What is no list of objects is left to whoever reads the request. */
function listOf(value: unknown): readonly Json[] {
  const isList = Array.isArray(value) && value.every((item) => typeof item === 'object' && item !== null);
  return isList ? (value as Json[]) : [];
}

function parametersOf(value: Json): Json {
  const { parameters } = value;
  return typeof parameters === 'object' && parameters !== null ? (parameters as Json) : {};
}

function dataIn(bytes: Uint8Array, datatype: unknown, where: string): readonly unknown[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (datatype === 'FP32') {
    if (bytes.length % 4 !== 0) throw invalid(`${where}: whole FP32 values`, `${bytes.length} bytes`);
    return Array.from({ length: bytes.length / 4 }, (_, i) => view.getFloat32(4 * i, true));
  }
  if (datatype === 'BYTES') return textsIn(bytes, view, where);
  throw invalid(`${where}.datatype "FP32" or "BYTES" in binary`, JSON.stringify(datatype) ?? 'nothing');
}

/** Each element is a length of four bytes, and as many bytes. */
function textsIn(bytes: Uint8Array, view: DataView, where: string): readonly string[] {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const texts: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 4 <= bytes.length ? at + 4 + view.getUint32(at, true) : Number.POSITIVE_INFINITY;
    if (end > bytes.length) throw invalid(`${where}: whole BYTES elements`, 'one that ends beyond the data');
    try {
      texts.push(decoder.decode(bytes.subarray(at + 4, end)));
    } catch {
      throw invalid(`${where}: BYTES that are UTF-8`, `something else in element ${texts.length}`);
    }
    at = end;
  }
  return texts;
}

function bytesOf(datatype: OutputTensor['datatype'], data: OutputTensor['data']): Buffer {
  switch (datatype) {
    case 'FP32':
      return packed(data, 4, (view, at, value) => view.setFloat32(at, Number(value), true));
    case 'INT64':
      return packed(data, 8, (view, at, value) => view.setBigInt64(at, BigInt(value), true));
    case 'BOOL':
      return Buffer.from(data.map((value) => (value ? 1 : 0)));
    case 'BYTES':
      return Buffer.concat(
        data.flatMap((value) => {
          const text = Buffer.from(String(value));
          const length = Buffer.alloc(4);
          length.writeUInt32LE(text.length);
          return [length, text];
        }),
      );
  }
}

function packed(
  data: OutputTensor['data'],
  width: number,
  set: (view: DataView, at: number, value: number | string | boolean) => void,
): Buffer {
  const view = new DataView(new ArrayBuffer(width * data.length));
  for (const [index, value] of data.entries()) set(view, width * index, value);
  return Buffer.from(view.buffer);
}

function invalid(expected: string, got: string): RefusedError {
  return new RefusedError('request-invalid', `expected ${expected}, got ${got}`);
}
