import { createHash } from 'node:crypto';
import { rename, writeFile } from 'node:fs/promises';
import { RefusedError } from '../../errors/index.js';

/** All that a training needs to go on as if it had never stopped. */
export interface TrainingState {
  /** Optimiser steps done since the start of the training. */
  readonly done: number;
  /** Sum of the losses of the current epoch's samples so far. */
  readonly lossSum: number;
  readonly theta: Float32Array;
  /** AdamW's first and second moments. */
  readonly firstMoment: Float32Array;
  readonly secondMoment: Float32Array;
}

const magic = Buffer.from('ASSAYCKP');
const version = 1;
const headerBytes = 64;
const hashBytes = 32;

/**
 * A checkpoint as bytes, little-endian: magic (8), version (u32), number of parameters (u32), the digest of the training
 * it belongs to (32), steps done (f64), loss sum (f64), theta and both moments (f32), SHA-256 of all of it (32).
 *
 * @param training - SHA-256 over all inputs that determine the training
 */
export function encodeCheckpoint(state: TrainingState, training: Uint8Array): Uint8Array {
  const count = state.theta.length;
  const bytes = Buffer.alloc(headerBytes + 12 * count + hashBytes);
  magic.copy(bytes, 0);
  bytes.writeUInt32LE(version, 8);
  bytes.writeUInt32LE(count, 12);
  bytes.set(training, 16);
  bytes.writeDoubleLE(state.done, 48);
  bytes.writeDoubleLE(state.lossSum, 56);
  for (const [index, vector] of [state.theta, state.firstMoment, state.secondMoment].entries()) {
    bytes.set(
      new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength),
      headerBytes + index * 4 * count,
    );
  }
  bytes.set(sha256(bytes.subarray(0, -hashBytes)), bytes.length - hashBytes);
  return bytes;
}

/**
 * @param parameters - how many parameters the network has
 * @throws RefusedError `training-refused` for bytes that are not a whole checkpoint of this very training
 */
export function decodeCheckpoint(bytes: Uint8Array, training: Uint8Array, parameters: number): TrainingState {
  const file = Buffer.from(bytes);
  const size = headerBytes + 12 * parameters + hashBytes;
  if (!file.subarray(0, magic.length).equals(magic))
    throw unusable('expected a checkpoint, got another file');
  if (
    file.length < headerBytes + hashBytes ||
    !sha256(file.subarray(0, -hashBytes)).equals(file.subarray(-hashBytes))
  ) {
    throw unusable('expected a checkpoint whose SHA-256 matches, got a damaged one');
  }
  if (file.readUInt32LE(8) !== version) {
    throw unusable(`expected a checkpoint of version ${version}, got ${file.readUInt32LE(8)}`);
  }
  if (!file.subarray(16, 48).equals(training) || file.length !== size) {
    throw unusable(
      'expected a checkpoint of this snapshot, seed and parameters, got one of another training',
    );
  }
  const vector = (index: number): Float32Array => {
    const start = headerBytes + index * 4 * parameters;
    return new Float32Array(Uint8Array.from(file.subarray(start, start + 4 * parameters)).buffer);
  };
  return {
    done: file.readDoubleLE(48),
    lossSum: file.readDoubleLE(56),
    theta: vector(0),
    firstMoment: vector(1),
    secondMoment: vector(2),
  };
}

/** Writes a file that appears whole or not at all; a reader of the older one keeps reading the older one. */
export async function replaceFile(file: string, bytes: Uint8Array): Promise<void> {
  const partial = `${file}.partial`;
  await writeFile(partial, bytes);
  await rename(partial, file);
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}

function unusable(message: string): RefusedError {
  return new RefusedError('training-refused', message);
}
