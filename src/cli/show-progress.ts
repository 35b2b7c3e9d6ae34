import pc from 'picocolors';
import type { StageProgress } from '../workflows/contract.js';
import type { RunProgress } from './client.js';
import { describeRunning } from './outcome-text.js';

const marks: Record<StageProgress['status'], string> = {
  waiting: pc.dim('·'),
  running: pc.cyan('▸'),
  done: pc.green('✓'),
  cached: pc.green('≡'),
  skipped: pc.dim('–'),
  refused: pc.red('✗'),
};

/**
 * A run as a tree of stages, one line each.
 *
 * @param columns - where lines are cut, so that redrawing can count on one row a stage
 */
export function stageTree(progress: RunProgress, columns = Number.POSITIVE_INFINITY): readonly string[] {
  return progress.stages.map((stage) => {
    const { fraction, detail } = describeRunning(stage, progress);
    const percent = fraction === undefined || fraction === 0 ? '' : ` ${Math.floor(100 * fraction)} %`;
    const note = stage.status === 'cached' ? `cached: ${detail ?? ''}` : (detail ?? '');
    const head = `${stage.name.padEnd(10)}${percent}`;
    const room = Math.max(0, columns - head.length - 6);
    return `  ${marks[stage.status]} ${head}${note ? ` ${pc.dim(note.slice(0, room))}` : ''}`;
  });
}

/**
 * Shows a run as it goes: redraws the tree on a terminal; elsewhere prints a line whenever a stage changes its state.
 */
export function createProgressDisplay(output: NodeJS.WriteStream): (progress: RunProgress) => void {
  let drawn = 0;
  const seen = new Map<string, string>();
  if (output.isTTY) {
    return (progress) => {
      const lines = stageTree(progress, output.columns || 80);
      output.write(`${drawn > 0 ? `\x1b[${drawn}A` : ''}${lines.map((line) => `\x1b[2K${line}\n`).join('')}`);
      drawn = lines.length;
    };
  }
  return (progress) => {
    const lines = stageTree(progress);
    for (const [index, { name, status }] of progress.stages.entries()) {
      if (status === 'waiting' || seen.get(name) === status) continue;
      seen.set(name, status);
      output.write(`${lines[index]}\n`);
    }
  };
}
