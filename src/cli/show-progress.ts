import pc from 'picocolors';
import type { StageProgress } from '../workflows/contract.js';
import type { RunProgress } from './client.js';
import { describeRunning } from './outcome-text.js';

const colourCode = /(\u001b\[[0-9;]*m)/;

const marks: Record<StageProgress['status'], string> = {
  waiting: pc.dim('·'),
  running: pc.cyan('▸'),
  done: pc.green('✓'),
  cached: pc.green('≡'),
  skipped: pc.dim('–'),
  refused: pc.red('✗'),
};

/** A run as a tree of stages, one line each. */
export function stageTree(progress: RunProgress): readonly string[] {
  return progress.stages.map((stage) => {
    const { fraction, detail } = describeRunning(stage, progress);
    const percent = fraction === undefined || fraction === 0 ? '' : ` ${Math.floor(100 * fraction)} %`;
    const note = stage.status === 'cached' ? `cached: ${detail ?? ''}` : (detail ?? '');
    return `  ${marks[stage.status]} ${stage.name.padEnd(10)}${percent}${note ? ` ${pc.dim(note)}` : ''}`;
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
      const lines = stageTree(progress).map((line) => clipLine(line, output.columns || 80));
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

/** Cuts a line to the width of the terminal, so that redrawing counts lines right. Colour codes take no room. */
function clipLine(line: string, columns: number): string {
  let room = columns - 1;
  let cut = '';
  for (const part of line.split(colourCode)) {
    if (part.startsWith('\x1b[')) cut += part;
    else {
      cut += part.slice(0, Math.max(0, room));
      room -= part.length;
    }
  }
  return cut;
}
