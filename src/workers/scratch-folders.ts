import { readdir, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';

/**
 * The folder for the working files of this process, emptied; those of killed processes of this host are removed, as
 * nobody else would. Folders of other hosts, which may share the place, are left alone.
 */
export async function ownScratchFolder(scratch: string): Promise<string> {
  const own = path.join(scratch, `${hostname()}-${process.pid}`);
  const prefix = `${hostname()}-`;
  const names = await readdir(scratch).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const stale = names.filter((name) => {
    const pid = name.startsWith(prefix) ? name.slice(prefix.length) : '';
    // A folder under this process's own number is of another that had it before.
    return /^\d+$/.test(pid) && (Number(pid) === process.pid || !isRunning(Number(pid)));
  });
  await Promise.all(stale.map((name) => rm(path.join(scratch, name), { recursive: true, force: true })));
  return own;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
