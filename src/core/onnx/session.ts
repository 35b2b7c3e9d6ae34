import type { Tensor } from './model.js';

/** A loaded model. Every run is independent; runs of one session are served in order. */
export interface OnnxSession {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  /** Runs the model. Shape and type mistakes reject with `RefusedError`; the session stays usable. */
  run(feeds: Readonly<Record<string, Tensor>>): Promise<Readonly<Record<string, Tensor>>>;
  close(): Promise<void>;
}

export interface SessionOptions {
  /**
   * `thread`: in a worker thread, so that the event loop (heartbeats, HTTP) stays free while ONNX Runtime computes.
   * `inline`: in this thread, for programs that do nothing else, such as the built-in trainer.
   */
  readonly place: 'thread' | 'inline';
}
