import { openSession } from '../../src/core/onnx/index.js';
import type { OpenModel } from '../../src/gateway/admission.js';

/** Real sessions, numbered from 1 as they open, whose runs a test can hold. */
export interface GatedModels {
  readonly openModel: OpenModel;
  /** How many were opened. */
  readonly opened: () => number;
  /** Numbers of those that were closed. */
  readonly closed: readonly number[];
  /** From now on, runs of one session wait until they are let go. */
  readonly hold: (session: number, runs: number) => HeldRuns;
  /** Ends every hold, so that a test that failed does not wait for ever. */
  readonly letAllGo: () => void;
}

export interface HeldRuns {
  /** Resolves when that many runs wait. */
  readonly waiting: Promise<void>;
  readonly letGo: () => void;
}

export function gatedModels(): GatedModels {
  const closed: number[] = [];
  const gates: (() => void)[] = [];
  let opened = 0;
  let arrive: (session: number) => Promise<void> = async () => {};
  return {
    opened: () => opened,
    closed,
    letAllGo() {
      for (const open of gates) open();
    },
    async openModel(onnx) {
      opened += 1;
      const number = opened;
      const session = await openSession(onnx, { place: 'thread' });
      return {
        ...session,
        async run(feeds) {
          await arrive(number);
          return await session.run(feeds);
        },
        async close() {
          closed.push(number);
          await session.close();
        },
      };
    },
    hold(session, runs) {
      let letGo = () => {};
      const gate = new Promise<void>((resolve) => {
        letGo = resolve;
        gates.push(resolve);
      });
      const waiting = new Promise<void>((resolve) => {
        let arrived = 0;
        arrive = async (number) => {
          if (number !== session) return;
          arrived += 1;
          if (arrived === runs) resolve();
          await gate;
        };
      });
      return { waiting, letGo };
    },
  };
}
