import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Command } from 'commander';
import type { CliContext } from '../context.js';
import { tellStory } from '../demo/story.js';

/** `assay demo`: the main job on real data, told step by step; fails unless each step happens as told. */
export function registerDemo(program: Command, context: () => CliContext): void {
  program
    .command('demo')
    .description('the main job on real data, step by step; leaves nothing running')
    .action(async () => {
      const folder = mkdtempSync(path.join(tmpdir(), 'assay-demo-'));
      try {
        await tellStory(folder, context().say);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    });
}
