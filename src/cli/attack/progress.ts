import type { AttackProgress } from '../../core/evaluation/index.js';

/** Watches the attacks: shows a live line on a terminal, and takes their time. */
export interface AttackWatch {
  readonly onAttack: (progress: AttackProgress) => void;
  /** Clears the line and stops the clock. @returns seconds by attack, the checks after each included */
  end(): ReadonlyMap<string, number>;
}

/** A live line is redrawn this often at most. */
const REDRAW_MS = 100;

/**
 * @param output - the terminal; without one, nothing is shown
 * @param now - milliseconds of a clock that never goes back
 */
export function watchAttacks(
  output: Pick<NodeJS.WriteStream, 'write' | 'columns'> | undefined,
  now: () => number,
): AttackWatch {
  const started = new Map<string, number>();
  const seconds = new Map<string, number>();
  let current: string | undefined;
  let drawnAt = Number.NEGATIVE_INFINITY;
  const stop = (): void => {
    if (current !== undefined) seconds.set(current, (now() - started.get(current)!) / 1000);
  };
  return {
    onAttack({ attack, fraction, attacked }) {
      if (attack !== current) {
        stop();
        current = attack;
        started.set(attack, now());
        drawnAt = Number.NEGATIVE_INFINITY;
      }
      if (!output || now() - drawnAt < REDRAW_MS) return;
      drawnAt = now();
      const percent = `${Math.floor(100 * fraction)} %`.padStart(5);
      const line = `  ${attack.padEnd(12)} ${percent}   ${attacked} samples still standing`;
      output.write(`\r\x1b[2K${line.slice(0, Math.max(20, (output.columns || 80) - 1))}`);
    },
    end() {
      stop();
      current = undefined;
      output?.write('\r\x1b[2K');
      return seconds;
    },
  };
}
