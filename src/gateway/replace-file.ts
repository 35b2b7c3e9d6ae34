import { mkdir, open, rename } from 'node:fs/promises';
import path from 'node:path';

/** The new content is on the disk under another name before it takes the old one's place. */
export async function replaceFile(file: string, text: string): Promise<void> {
  const next = `${file}.next`;
  await mkdir(path.dirname(file), { recursive: true });
  const handle = await open(next, 'w', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(next, file);
  // The rename itself must survive a power cut, too.
  const folder = await open(path.dirname(file), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
