import { accessSync, constants, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { StartError } from '@plumbline/db/start-error';

/** What `npm start` can be told. Each flag has its variable; the flag wins. */
export interface StartOptions {
  readonly host: string;
  readonly port: number;
  readonly dataDir: string;
  readonly demo: boolean;
  readonly open: boolean;
  /** API processes: the first listens on `port`, the next on the ports after it. */
  readonly apis: number;
  readonly workers: number;
  /** A PostgreSQL of one's own, as a role that may create roles; absent: the embedded one. */
  readonly databaseUrl: string | undefined;
  /** A Temporal of one's own; absent: the development server. */
  readonly temporalAddress: string | undefined;
}

const repository = fileURLToPath(new URL('../../../', import.meta.url));

export const usage = `npm start -- [options]

  --port <n>        port of studio, API, webhooks and sandboxes   PLUMBLINE_PORT      4400
  --host <address>  address to listen on                          PLUMBLINE_HOST      127.0.0.1
  --data-dir <dir>  database, secrets, Temporal's store            PLUMBLINE_DATA_DIR  ./data
  --no-demo         no demo company, no demo sign-in              PLUMBLINE_DEMO=0
  --open            open the studio in the browser                PLUMBLINE_OPEN=1
  --apis <n>        API processes, on the ports from --port on    PLUMBLINE_APIS      1
  --workers <n>     worker processes                              PLUMBLINE_WORKERS   1

  DATABASE_URL      a PostgreSQL of your own instead of the embedded one
  TEMPORAL_ADDRESS  a Temporal server of your own, host:port
`;

/** Someone asked for `usage`; nothing is to be started. */
export class HelpWanted extends Error {}

/** @throws StartError `usage` naming the option that is wrong; HelpWanted. */
export function readStartOptions(argv: readonly string[], environment: NodeJS.ProcessEnv): StartOptions {
  const values = parseFlags(argv);
  if (values.help) throw new HelpWanted();
  const port = values.port ?? environment['PLUMBLINE_PORT'] ?? '4400';
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535)
    throw wrong(`"${port}" is no port. Give a number from 1 to 65535.`);
  const dataDir = values['data-dir'] ?? environment['PLUMBLINE_DATA_DIR'];
  return {
    host: values.host ?? environment['PLUMBLINE_HOST'] ?? '127.0.0.1',
    port: Number(port),
    dataDir: dataDir === undefined ? defaultDataDir() : resolve(environment['INIT_CWD'] ?? process.cwd(), dataDir),
    demo: values['no-demo'] ? false : isOn(environment['PLUMBLINE_DEMO'], true),
    apis: count('apis', values.apis ?? environment['PLUMBLINE_APIS']),
    workers: count('workers', values.workers ?? environment['PLUMBLINE_WORKERS']),
    open: values.open ?? isOn(environment['PLUMBLINE_OPEN'], false),
    databaseUrl: environment['DATABASE_URL'] || undefined,
    temporalAddress: environment['TEMPORAL_ADDRESS'] || undefined,
  };
}

function parseFlags(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        port: { type: 'string' },
        host: { type: 'string' },
        'data-dir': { type: 'string' },
        'no-demo': { type: 'boolean' },
        open: { type: 'boolean' },
        apis: { type: 'string' },
        workers: { type: 'string' },
        help: { type: 'boolean' },
      },
    }).values;
  } catch (cause) {
    throw wrong(cause instanceof Error ? cause.message : String(cause));
  }
}

function wrong(message: string): StartError {
  return new StartError('usage', message, `These are known:\n\n${usage}`);
}

function count(what: string, text = '1'): number {
  if (/^([1-9]|1[0-6])$/.test(text)) return Number(text);
  throw wrong(`"${text}" is no number of ${what}. Give one from 1 to 16.`);
}

function isOn(value: string | undefined, fallback: boolean): boolean {
  return value === undefined || value === '' ? fallback : !/^(0|false|no|off)$/i.test(value);
}

/**
 * `data` in the checkout. As root PostgreSQL runs as another user, who cannot enter a checkout under a closed home directory;
 * the data then lies under /var/lib.
 */
function defaultDataDir(): string {
  const here = join(repository, 'data');
  if (process.platform === 'win32' || process.getuid?.() !== 0) return here;
  for (let folder = repository; folder !== dirname(folder); folder = dirname(folder))
    if ((statSync(folder).mode & 0o001) === 0) return '/var/lib/plumbline';
  try {
    accessSync(repository, constants.W_OK);
    return here;
  } catch {
    return '/var/lib/plumbline';
  }
}
