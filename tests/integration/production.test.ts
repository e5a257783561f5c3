import { fork, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { freePort } from '@plumbline/db/embedded';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { testPlatform, type TestPlatform } from '../support/platform.ts';
import { until } from '../support/until.ts';

const entry = fileURLToPath(new URL('../../engine/src/server-main.ts', import.meta.url));

let up: TestPlatform;
const children: ChildProcess[] = [];
beforeAll(async () => {
  up = await testPlatform();
});
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await up[Symbol.asyncDispose]();
});

/** A second API process beside the platform's own, in production mode. */
async function production(change: NodeJS.ProcessEnv = {}) {
  const port = await freePort();
  const child = fork(entry, {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    env: {
      PATH: process.env['PATH'],
      PLUMBLINE_MODE: 'production',
      PLUMBLINE_PORT: String(port),
      PLUMBLINE_ORIGIN: 'https://plumbline.builder.example',
      PLUMBLINE_APP_DATABASE_URL: up.roleUrl('app'),
      PLUMBLINE_DISPATCHER_DATABASE_URL: up.roleUrl('dispatcher'),
      PLUMBLINE_AUTH_DATABASE_URL: up.roleUrl('auth'),
      PLUMBLINE_SESSION_SECRET: randomBytes(36).toString('base64'),
      PLUMBLINE_MASTER_KEYS: `k9:${randomBytes(32).toString('base64')}`,
      TEMPORAL_ADDRESS: up.platform.temporal.address,
      ...change,
    },
  });
  children.push(child);
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const outcome = await new Promise<'ready' | number>((resolve) => {
    child.once('message', () => resolve('ready'));
    child.once('exit', (code) => resolve(code ?? -1));
  });
  return { origin: `http://127.0.0.1:${port}`, outcome, said: () => said };
}

test('in production there is no sandbox and no demo sign-in, and sessions are for https only', async () => {
  const { origin, outcome } = await production();
  expect(outcome).toBe('ready');
  await until('it to be healthy', async () => (await fetch(`${origin}/api/health`)).status === 200);
  expect((await fetch(`${origin}/sandbox/quickbooks/ui`)).status).toBe(404);
  expect(await (await fetch(`${origin}/api/session`)).json()).toEqual({ demo: false, signedIn: false });
  const headers = { Origin: 'https://plumbline.builder.example' };
  expect((await fetch(`${origin}/api/session/demo`, { method: 'POST', headers })).status).toBe(404);
  const signIn = await fetch(`${origin}/api/session`, {
    method: 'POST',
    headers: { ...headers, 'Content-Type': 'application/json' },
    body: JSON.stringify({ email: 'dana@hartwell.example', password: 'plumb-line-demo' }),
  });
  expect(
    signIn.headers.getSetCookie().filter((cookie) => !/; Secure/i.test(cookie) || !/; HttpOnly/i.test(cookie)),
  ).toEqual([]);
  expect(signIn.headers.get('strict-transport-security')).toMatch(/max-age/);
});

test('production does not start with what is only for development, and lists all of it', async () => {
  const { outcome, said } = await production({
    PLUMBLINE_DEMO: 'true',
    PLUMBLINE_SESSION_SECRET: 'changeme-changeme-changeme-changeme',
    PLUMBLINE_ORIGIN: 'http://plumbline.builder.example',
  });
  expect(outcome).toBe(78);
  for (const name of ['PLUMBLINE_DEMO', 'PLUMBLINE_SESSION_SECRET', 'PLUMBLINE_ORIGIN']) expect(said()).toContain(name);
});

test('production does not start without its secrets', async () => {
  const { outcome, said } = await production({ PLUMBLINE_MASTER_KEYS: undefined, PLUMBLINE_SESSION_SECRET: undefined });
  expect(outcome).not.toBe('ready');
  for (const name of ['PLUMBLINE_MASTER_KEYS', 'PLUMBLINE_SESSION_SECRET']) expect(said()).toContain(name);
});
