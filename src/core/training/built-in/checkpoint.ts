import { createHash } from 'node:crypto';
import { rename, writeFile } from 'node:fs/promises';
import { RefusedError } from '../../errors/index.js';

/** The best weights that were seen; part of a training's state. */
export interface Best {
  readonly theta: Float32Array;
  /** Their accuracy on what was looked at, 0…1. */
  readonly score: number;
  /** Epochs done when they were seen. */
  readonly epoch: number;
  /** Looks since then. */
  readonly looksSince: number;
}

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
  /** What early stopping has found so far. */
  readonly best?: Best;
}

const magic = Buffer.from('ASSAYCKP');
const version = 2;
const headerBytes = 88;
const hashBytes = 32;

/**
 * A checkpoint as bytes, little-endian: magic (8), version (u32), number of parameters (u32), the digest of the training
 * it belongs to (32), steps done (f64), loss sum (f64), score, epoch and looks since then of the best weights (f64 each; NaN
 * where there are none), theta, both moments and the best weights where there are some (f32), SHA-256 of all of it (32).
 *
 * @param training - SHA-256 over all inputs that determine the training
 */
export function encodeCheckpoint(state: TrainingState, training: Uint8Array): Uint8Array {
  const { theta, firstMoment, secondMoment, best } = state;
  const vectors = [theta, firstMoment, secondMoment, ...(best ? [best.theta] : [])];
  const bytes = Buffer.alloc(sizeOf(theta.length, vectors.length));
  magic.copy(bytes, 0);
  bytes.writeUInt32LE(version, 8);
  bytes.writeUInt32LE(theta.length, 12);
  bytes.set(training, 16);
  bytes.writeDoubleLE(state.done, 48);
  bytes.writeDoubleLE(state.lossSum, 56);
  bytes.writeDoubleLE(best?.score ?? Number.NaN, 64);
  bytes.writeDoubleLE(best?.epoch ?? Number.NaN, 72);
  bytes.writeDoubleLE(best?.looksSince ?? Number.NaN, 80);
  for (const [index, vector] of vectors.entries()) {
    bytes.set(
      new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength),
      headerBytes + index * 4 * theta.length,
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
  const score = file.readDoubleLE(64);
  const vectors = Number.isNaN(score) ? 3 : 4;
  if (!file.subarray(16, 48).equals(training) || file.length !== sizeOf(parameters, vectors)) {
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
    ...(vectors === 4 && {
      best: {
        theta: vector(3),
        score,
        epoch: file.readDoubleLE(72),
        looksSince: file.readDoubleLE(80),
      },
    }),
  };
}

const sizeOf = (parameters: number, vectors: number): number =>
  headerBytes + 4 * parameters * vectors + hashBytes;

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
