import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, startPostgres } from '@plumbline/db/embedded';
import { Agent, request } from 'undici';
import { until } from '../support/until.ts';
import type { Contender } from './contender.ts';

const ID = 'benchb1benchb1be';

/**
 * n8n with the same flow, on a PostgreSQL of the same kind as ours, saving every execution as it does by default.
 * @param folder where it is installed: `npm install n8n` there
 * @throws Error with what n8n said when it does not start
 */
export async function n8n(target: string, folder: string): Promise<Contender> {
  const dataDir = await mkdtemp(join(tmpdir(), 'plumbline-n8n-'));
  const postgres = await startPostgres({ dataDir });
  const database = new URL(postgres.ownerUrl);
  const port = await freePort();
  const environment = {
    ...process.env,
    DB_TYPE: 'postgresdb',
    DB_POSTGRESDB_HOST: database.hostname,
    DB_POSTGRESDB_PORT: database.port,
    DB_POSTGRESDB_DATABASE: database.pathname.slice(1),
    DB_POSTGRESDB_USER: database.username,
    DB_POSTGRESDB_PASSWORD: decodeURIComponent(database.password),
    N8N_USER_FOLDER: dataDir,
    N8N_PORT: String(port),
    N8N_LISTEN_ADDRESS: '127.0.0.1',
    N8N_RUNNERS_BROKER_PORT: String(await freePort()),
    N8N_DIAGNOSTICS_ENABLED: 'false',
    N8N_VERSION_NOTIFICATIONS_ENABLED: 'false',
    N8N_LOG_LEVEL: 'warn',
  };
  let said = '';
  const run = (...args: readonly string[]): ChildProcess => {
    const child = spawn(process.execPath, [join(folder, 'node_modules', 'n8n', 'bin', 'n8n'), ...args], {
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (text: Buffer) => (said = `${said}${text.toString()}`.slice(-4_000)));
    return child;
  };
  const done = async (...args: readonly string[]): Promise<boolean> =>
    await new Promise((resolve) => run(...args).once('exit', (code) => resolve(code === 0)));
  const file = join(dataDir, 'b1.json');
  await writeFile(file, JSON.stringify([drawing(target)]));
  if (!(await done('import:workflow', `--input=${file}`))) throw new Error(`n8n did not take the flow in: ${said}`);
  // Its second major version publishes what its first one made active.
  if (
    !(await done('publish:workflow', `--id=${ID}`)) &&
    !(await done('update:workflow', `--id=${ID}`, '--active=true'))
  )
    throw new Error(`n8n did not publish the flow: ${said}`);
  const server = run('start');
  const agent = new Agent({ connections: 64 });
  const post = async (body: string): Promise<number> => {
    const answer = await request(`http://127.0.0.1:${port}/webhook/b1`, {
      method: 'POST',
      dispatcher: agent,
      headers: { 'content-type': 'application/json' },
      body,
    });
    await answer.body.dump();
    return answer.statusCode;
  };
  const stop = async (): Promise<void> => {
    await agent.close();
    const ended = new Promise((resolve) => server.once('exit', resolve));
    if (server.exitCode === null && server.kill('SIGTERM')) await ended;
    await postgres.stop();
    await rm(dataDir, { recursive: true, force: true });
  };
  try {
    await until('n8n to take webhooks', async () => {
      if (server.exitCode !== null) throw new Error(`n8n ended: ${said}`);
      return (await post('{"id":"warm","lines":[]}').catch(() => 0)) === 200;
    });
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    name: 'n8n',
    send: async (event) => {
      const status = await post(JSON.stringify(event));
      if (status !== 200) throw new Error(`n8n answered with ${status}`);
    },
    [Symbol.asyncDispose]: stop,
  };
}

/** webhook → edit fields → three HTTP requests in a row */
function drawing(target: string): object {
  const node = (name: string, type: string, typeVersion: number, parameters: object, more: object = {}) => ({
    ...{ id: name, name, type: `n8n-nodes-base.${type}`, typeVersion, position: [0, 0], parameters },
    ...more,
  });
  const post = (step: number) =>
    node(`Post ${step}`, 'httpRequest', 4.2, {
      method: 'POST',
      url: `${target}/${step}`,
      sendBody: true,
      specifyBody: 'json',
      jsonBody: `={{ JSON.stringify($('Map').item.json) }}`,
      options: {},
    });
  const assign = (name: string, type: string, value: string) => ({ id: name, name, type, value: `={{ ${value} }}` });
  const names = ['In', 'Map', 'Post 1', 'Post 2', 'Post 3'];
  return {
    ...{ id: ID, name: 'Bench B1', active: false, settings: {} },
    nodes: [
      node('In', 'webhook', 2, { httpMethod: 'POST', path: 'b1', options: {} }, { webhookId: ID }),
      node('Map', 'set', 3.4, {
        assignments: {
          assignments: [
            assign('id', 'string', '$json.body.id'),
            assign('vendor', 'string', '$json.body.vendor'),
            assign('total', 'number', '$json.body.lines.reduce((sum, line) => sum + line.amount, 0)'),
          ],
        },
        options: {},
      }),
      ...[1, 2, 3].map(post),
    ],
    connections: Object.fromEntries(
      names.slice(0, -1).map((name, index) => [name, { main: [[{ node: names[index + 1], type: 'main', index: 0 }]] }]),
    ),
  };
}
