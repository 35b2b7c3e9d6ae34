import { RefusedError, TransientError } from '../core/errors/index.js';
import type { Feeds, OnnxSession, Results, Tensor } from '../core/onnx/index.js';
import { fairQueue } from '../core/serving/index.js';

/** Runs that are given to a model's thread at once. A request that waits is still in the hands of fairness; one of these is not. */
const AHEAD = 4;

/** How the runs of one model share its thread. */
export interface RunnerLimits {
  /** Requests that may wait. */
  readonly waiting: number;
  /** How long one may wait, in ms: who asked it has gone away by then, or will have. */
  readonly waitMs: number;
  /** Samples of requests that wait together which the model is given at once; 1: every request by itself. */
  readonly batch: number;
}

/** @throws RefusedError `overloaded` when too many wait, or this one has for too long */
export type RunModel = (feeds: Feeds, client: string) => Promise<Results>;

interface Waiting {
  readonly feeds: Feeds;
  readonly samples: number;
  readonly since: number;
  readonly resolve: (results: Results) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Runs a model for many clients in fair turns, one run at a time. A few runs are asked for ahead, so that its thread does not wait for this
 * one. What arrives meanwhile gathers, and what is next goes together as one batch: nobody ever waits for a batch to fill.
 *
 * The model must treat samples one by one: its inputs and outputs have the samples along their first axis.
 *
 * @param nowMs - a clock that never goes back
 */
export function modelRunner(session: OnnxSession, limits: RunnerLimits, nowMs: () => number): RunModel {
  const queue = fairQueue<Waiting>(limits.waiting);
  let asked = 0;

  const overloaded = () =>
    new RefusedError('overloaded', `expected at most ${limits.waiting} requests waiting for a model`);

  function takeBatch(): Waiting[] {
    const batch: Waiting[] = [];
    let samples = 0;
    for (let cost = queue.nextCost(); cost !== undefined; cost = queue.nextCost()) {
      if (batch.length > 0 && samples + cost > limits.batch) break;
      const request = queue.take()!;
      if (nowMs() - request.since > limits.waitMs) {
        request.reject(new RefusedError('overloaded', `waited for the model for over ${limits.waitMs} ms`));
        continue;
      }
      batch.push(request);
      samples += request.samples;
    }
    return batch;
  }

  function work(): void {
    while (asked < AHEAD) {
      const batch = takeBatch();
      if (batch.length === 0) return;
      asked += 1;
      void answer(batch).finally(() => {
        asked -= 1;
        work();
      });
    }
  }

  async function answer(batch: readonly Waiting[]): Promise<void> {
    try {
      const feeds = batch.length === 1 ? batch[0]!.feeds : joined(batch.map((request) => request.feeds));
      const results = await session.run(feeds);
      const parts =
        batch.length === 1
          ? [results]
          : split(
              results,
              batch.map(({ samples }) => samples),
            );
      for (const [index, request] of batch.entries()) request.resolve(parts[index]!);
    } catch (error) {
      // What one of several requests did must not cost the others their answers.
      if (batch.length === 1 || error instanceof TransientError)
        for (const { reject } of batch) reject(error);
      else for (const request of batch) await answer([request]);
    }
  }

  return (feeds, client) =>
    new Promise((resolve, reject) => {
      const samples = Object.values(feeds)[0]?.dims[0] ?? 1;
      const request = { feeds, samples, since: nowMs(), resolve, reject };
      queue.push(client, Math.max(1, samples), request)?.reject(overloaded());
      work();
    });
}

function joined(all: readonly Feeds[]): Feeds {
  const names = Object.keys(all[0]!);
  return Object.fromEntries(names.map((name) => [name, joinedTensor(all.map((feeds) => feeds[name]!))]));
}

function joinedTensor(tensors: readonly Tensor[]): Tensor {
  const [
    {
      type,
      dims: [, ...rest],
    } = {} as Tensor,
  ] = tensors;
  const dims = [tensors.reduce((sum, tensor) => sum + tensor.dims[0]!, 0), ...rest];
  const data = new Float32Array(dims.reduce((product, length) => product * length, 1));
  let at = 0;
  for (const tensor of tensors) {
    data.set(tensor.data as Float32Array, at);
    at += tensor.data.length;
  }
  return { type, dims, data } as Tensor;
}

function split(results: Results, counts: readonly number[]): readonly Results[] {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const parts: Record<string, Tensor>[] = counts.map(() => ({}));
  for (const [name, { type, dims, data }] of Object.entries(results)) {
    if (dims[0] !== total)
      throw new RefusedError('model-unreadable', `expected ${name} to have ${total} rows`);
    const size = data.length / total;
    let at = 0;
    for (const [index, count] of counts.entries()) {
      const rows = data.slice(at * size, (at + count) * size);
      parts[index]![name] = { type, dims: [count, ...dims.slice(1)], data: rows } as Tensor;
      at += count;
    }
  }
  return parts;
}
