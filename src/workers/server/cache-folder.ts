import { homedir } from 'node:os';
import path from 'node:path';
import type { Machine } from './executable-source.js';

/** Where this user's programs keep what they can fetch again. */
export function cacheFolder({ env, platform }: Machine): string {
  const home = env.HOME ?? env.USERPROFILE ?? homedir();
  const base =
    platform === 'win32'
      ? (env.LOCALAPPDATA ?? path.join(home, 'AppData', 'Local'))
      : (env.XDG_CACHE_HOME ?? path.join(home, '.cache'));
  return path.join(base, 'assay');
}
