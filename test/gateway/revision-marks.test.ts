import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import type { Digest } from '../../src/core/spec/index.js';
import { marksInFile, marksInMemory, type RevisionMark } from '../../src/gateway/revision-marks.js';

const mark = (revision: number, letter = 'a'): RevisionMark => ({
  revision,
  release: `sha256:${letter.repeat(64)}` as Digest,
});

describe("a gateway's revision marks", () => {
  it('only rise, whatever is asked of them', async () => {
    const asked = fc.array(fc.tuple(fc.integer({ min: 1, max: 9 }), fc.constantFrom('a', 'b', 'c')));
    await fc.assert(
      fc.asyncProperty(asked, async (sequence) => {
        const marks = marksInMemory();
        let highest = 0;
        for (const [revision, letter] of sequence) {
          await marks.raise('samples', mark(revision, letter)).catch(() => {});
          const now = marks.get('samples')?.revision ?? 0;
          expect(now).toBeGreaterThanOrEqual(highest);
          highest = now;
        }
      }),
    );
  });

  it('do not let two releases share a revision', async () => {
    const marks = marksInMemory({ samples: mark(3) });
    await expect(marks.raise('samples', mark(3, 'b'))).rejects.toMatchObject({ code: 'release-unverified' });
    await expect(marks.raise('samples', mark(2, 'b'))).rejects.toMatchObject({ code: 'release-unverified' });
    await expect(marks.raise('samples', mark(3))).resolves.toBeUndefined();
  });

  it('are read back as they were raised, the last one of many raised at once', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'marks-'));
    const file = path.join(folder, 'deep', 'state.json');
    const marks = await marksInFile(file);
    await Promise.all(
      Array.from({ length: 9 }, (_, index) => marks.raise('samples', mark(index + 1, `${index + 1}`))),
    );
    await marks.raise('other', mark(1));
    const again = await marksInFile(file);
    expect(again.get('samples')).toEqual(mark(9, '9'));
    expect([...again.endpoints()].sort()).toEqual(['other', 'samples']);
    expect(await readdir(path.dirname(file))).toEqual(['state.json']);
    await rm(folder, { recursive: true });
  });
});
