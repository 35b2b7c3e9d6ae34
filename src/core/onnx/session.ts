import type { Tensor, ValueInfo } from './model.js';

/** Tensors by the names of a model's inputs. */
export type Feeds = Readonly<Record<string, Tensor>>;

/** Tensors by the names of a model's outputs. */
export type Results = Readonly<Record<string, Tensor>>;

/** A loaded model. Every run is independent; runs of one session are served in order, and may be asked for ahead. */
export interface OnnxSession {
  readonly inputNames: readonly string[];
  /** What ONNX Runtime says that the model takes; a length that it does not know is a name, or ''. */
  readonly inputs: readonly ValueInfo[];
  readonly outputNames: readonly string[];
  /**
   * Runs the model. Shape and type mistakes reject with `RefusedError` (`input-invalid`); the session stays usable.
   * The caller keeps its buffers, and must not write into them until the run is done.
   */
  run(feeds: Feeds): Promise<Results>;
  /** Frees the model. Runs that are not done reject with `TransientError`. */
  close(): Promise<void>;
}

export interface SessionOptions {
  /**
   * `thread`: in a worker thread, so that the event loop (heartbeats, HTTP) stays free while ONNX Runtime computes.
   * `inline`: in this thread, for programs that do nothing else, such as the built-in trainer.
   */
  readonly place: 'thread' | 'inline';
}
