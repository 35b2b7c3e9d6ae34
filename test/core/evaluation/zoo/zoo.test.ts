import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { digestOf, digestOfJson } from '../../../../src/core/store/index.js';
import { brokenDefences } from './broken-defences.js';
import type { Judged, JudgedDefence, JudgedTwin } from './judge.js';
import { fixtures, networks, readNetwork } from './networks.js';
import { twins } from './twins.js';

const run = promisify(execFile);

async function judge<Line extends Judged>(what: 'zoo' | 'twins'): Promise<readonly Line[]> {
  const { stdout } = await run(process.execPath, ['dist/bench/test/core/evaluation/zoo/judge.js', what]);
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
}

let zoo: readonly JudgedDefence[];
let judgedTwins: readonly JudgedTwin[];
beforeAll(async () => {
  const compiler = path.resolve('node_modules/typescript/lib/tsc.js');
  await run(process.execPath, [compiler, '-p', 'bench/tsconfig.json']);
  [zoo, judgedTwins] = await Promise.all([judge<JudgedDefence>('zoo'), judge<JudgedTwin>('twins')]);
}, 3_600_000);

describe('the zoo of broken defences', () => {
  it.each(brokenDefences)('“$name” is broken, and does not pass: seen by $caughtBy', ({ name, caughtBy }) => {
    const { truth, minimum, status, interval, alarms } = zoo.find((each) => each.name === name)!;
    expect(truth).toBeLessThan(minimum);
    expect(status).not.toBe('pass');
    expect([...(interval[1]! < minimum ? ['its attacks'] : []), ...alarms]).toContain(caughtBy);
  });
});

describe('randomised defences, attacked in the mean of several draws', () => {
  const randomised = brokenDefences.filter(({ isRandomised }) => isRandomised);

  it.each(randomised)('“$name” does not pass either', ({ name }) => {
    expect(zoo.find((each) => each.name === name)!.expected!.status).not.toBe('pass');
  });

  it.each(['noise at inference', 'dropout at inference', 'mixing in of other samples'])(
    '“%s” falls',
    (name) => {
      const { minimum, expected } = zoo.find((each) => each.name === name)!;
      expect(expected).toMatchObject({ status: 'fail' });
      expect(expected!.interval[1]).toBeLessThan(minimum);
    },
  );

  it('are not doubted where they are robust: an honest twin behind a little noise passes', () => {
    const [noisy] = judgedTwins.filter(({ at }) => at === 'noisy');
    expect(noisy).toMatchObject({ status: 'pass', alarms: [] });
  });
});

describe('clean twins, which are trained honestly', () => {
  const at = (where: JudgedTwin['at']): readonly JudgedTwin[] =>
    judgedTwins.filter((twin) => twin.at === where);

  it('are the ones that bench/evasion/train-zoo.ts trains by these recipes', () => {
    const digests = JSON.parse(readFileSync(`${fixtures}/digests.json`, 'utf8'));
    expect(digests).toEqual(
      Object.fromEntries(
        networks.map(({ name, seed, parameters }) => [
          name,
          { file: digestOf(readNetwork(name)), recipe: digestOfJson({ seed, parameters }) },
        ]),
      ),
    );
  });

  it('pass where they are robust, every control held', () => {
    expect(at('robust').map(({ name, status, alarms }) => ({ name, status, alarms }))).toEqual(
      twins.map(({ name }) => ({ name, status: 'pass', alarms: [] })),
    );
  });

  it('fail where they are not, for their errors alone', () => {
    const broken = at('broken').map(({ status, alarms }) => ({ status, alarms }));
    expect(broken.length).toBeGreaterThan(5);
    expect(broken).toEqual(broken.map(() => ({ status: 'fail', alarms: [] })));
  });

  it('have weaknesses planted around nearly all samples, of which the strongest attack finds at least 95 %', () => {
    const total = (of: 'tried' | 'built' | 'found'): number =>
      at('robust').reduce((sum, { planted }) => sum + planted[of], 0);
    expect(total('built')).toBeGreaterThan(0.9 * total('tried'));
    expect(total('found')).toBeGreaterThanOrEqual(0.95 * total('built'));
  });

  it('are broken everywhere once a weakness is planted in them, though they answer all data alike', () => {
    const planted = at('planted');
    expect(planted.length).toBeGreaterThan(3);
    for (const { name, status, standing, predicted } of planted) {
      expect({ status, standing }).toEqual({ status: 'fail', standing: 0 });
      expect(predicted).toEqual(at('robust').find((twin) => twin.name === name)!.predicted);
    }
  });
});
