import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@plumbline/db/embedded';
import { withUser } from '@plumbline/db/urls';
import { StudioClient } from '@plumbline/engine/demo/studio-client';
import { bringUp, type Platform, type PlatformOptions } from '@plumbline/engine/start/platform';
import type { Secrets } from '@plumbline/engine/start/secrets';
import pg from 'pg';

export interface TestPlatform extends AsyncDisposable {
  readonly platform: Platform;
  readonly origin: string;
  /** The owner's pool, past row security. */
  readonly owner: pg.Pool;
  /** Connection string of one of the roles that own nothing. */
  roleUrl(role: 'app' | 'dispatcher' | 'auth'): string;
  /** Signed in as the demo's owner. */
  client(): Promise<StudioClient>;
  /** Restarts the services said so far, by name. */
  readonly restarts: readonly string[];
}

/** Everything, as `npm start` brings it up, in a data directory of its own: PostgreSQL, Temporal, worker, API, sandboxes. */
export async function testPlatform(
  environment: NodeJS.ProcessEnv = {},
  options: {
    readonly fsync?: boolean;
    readonly workers?: number;
    readonly apis?: number;
    readonly route?: NonNullable<PlatformOptions['route']>;
  } = {},
): Promise<TestPlatform> {
  const dataDir = await mkdtemp(join(tmpdir(), 'plumbline-platform-'));
  const { workers = 1, apis = 1 } = options;
  const restarts: string[] = [];
  const platform = await bringUp({
    host: '127.0.0.1',
    port: await freePort(apis),
    apis,
    workers,
    dataDir,
    demo: true,
    open: false,
    databaseUrl: undefined,
    temporalAddress: undefined,
    // Commits wait for no disk, unless speed is what is measured.
    fsync: options.fsync ?? false,
    environment: { ...process.env, PLUMBLINE_LOG_LEVEL: 'warn', ...environment },
    onStep: () => undefined,
    onRestart: (name) => restarts.push(name),
    ...(options.route ? { route: options.route } : {}),
  });
  const secrets = JSON.parse(await readFile(join(dataDir, 'secrets.json'), 'utf8')) as Secrets;
  const owner = new pg.Pool({ connectionString: platform.ownerUrl, max: 3 });
  owner.on('error', () => undefined);
  return {
    platform,
    origin: platform.origin,
    owner,
    restarts,
    roleUrl: (role) => withUser(platform.ownerUrl, `plumbline_${role}`, secrets[`${role}Password`]),
    client: async () => {
      const client = new StudioClient(platform.origin);
      await client.call('POST', '/api/session/demo');
      return client;
    },
    [Symbol.asyncDispose]: async () => {
      await owner.end();
      await platform.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
