import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';

/** Gives `use` an empty folder of its own and removes it afterwards, whatever happens. */
export async function withScratchFolder<T>(scratch: string, use: (folder: string) => Promise<T>): Promise<T> {
  await mkdir(scratch, { recursive: true });
  const folder = await mkdtemp(path.join(scratch, 'activity-'));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
