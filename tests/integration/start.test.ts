import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '@plumbline/db/embedded';
import type { Health } from '@plumbline/engine/contract';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { until } from '../support/until.ts';

const entry = fileURLToPath(new URL('../../engine/src/start.ts', import.meta.url));
let dataDir: string;
let children: ChildProcess[] = [];
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'plumbline-start-'));
});
afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  children = [];
  await until('its processes to be gone', async () => (await processes()).length === 0);
  await rm(dataDir, { recursive: true, force: true });
});

interface Started {
  readonly child: ChildProcess;
  readonly output: () => string;
  /** Exit code. */
  readonly ended: Promise<number>;
}

function start(args: readonly string[], environment: NodeJS.ProcessEnv = {}): Started {
  const child = spawn(process.execPath, [entry, '--data-dir', dataDir, ...args], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const ended = new Promise<number>((resolve) => child.on('exit', (code) => resolve(code ?? -1)));
  return { child, output: () => said, ended };
}

/** Processes that have the data directory in their command line or environment, but for us. */
async function processes(): Promise<string[]> {
  const lines = execFileSync('ps', ['axeww', '-o', 'pid=,args='], {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  }).split('\n');
  return lines.filter(
    (text) =>
      text.includes(dataDir) && !text.includes(' ps axeww') && Number(text.trim().split(' ')[0]) !== process.pid,
  );
}

async function healthy(origin: string): Promise<boolean> {
  const answer = await fetch(`${origin}/api/health`).catch(() => undefined);
  return answer !== undefined && ((await answer.json()) as Health).status === 'ok';
}

// `ps e` shows environments on Linux only.
describe.runIf(process.platform === 'linux')('npm start', () => {
  test('prints where everything is, keeps its data, and is up again within 15 s', async () => {
    const port = await freePort();
    const first = start(['--port', String(port)]);
    await until('the banner', async () => /Ready in/.test(first.output()));
    for (const line of ['Studio', 'API', 'Webhooks', 'Temporal UI', 'Data', 'Sign in', 'Ctrl-C'])
      expect(first.output()).toContain(line);
    expect(await healthy(`http://127.0.0.1:${port}`)).toBe(true);
    expect((await stat(join(dataDir, 'secrets.json'))).mode & 0o777).toBe(0o600);
    const second = start(['--port', String(await freePort())]);
    expect(await second.ended).toBe(1);
    expect(second.output()).toMatch(/runs already with this data directory/);
    first.child.kill('SIGINT');
    expect(await first.ended).toBe(130);
    await until('every child to be gone', async () => (await processes()).length === 0);

    const began = performance.now();
    const again = start(['--port', String(port)]);
    await until('the banner', async () => /Ready in/.test(again.output()));
    expect(performance.now() - began).toBeLessThan(15_000);
    expect(again.output()).toMatch(/Hartwell Homes is there/);
    again.child.kill('SIGTERM');
    expect(await again.ended).toBe(0);
  });

  test('leaves nothing behind when it is killed', async () => {
    const port = await freePort();
    const killed = start(['--port', String(port), '--no-demo']);
    await until('the banner', async () => /Ready in/.test(killed.output()));
    expect(killed.output()).not.toContain('Sign in');
    expect((await processes()).length).toBeGreaterThanOrEqual(4);
    killed.child.kill('SIGKILL');
    await killed.ended;
    await until('every child to be gone', async () => (await processes()).length === 0);
    await expect(fetch(`http://127.0.0.1:${port}/api/health`)).rejects.toThrow();
  });

  test.each([
    ['a port that is no port', ['--port', 'eighty'], {}, /"eighty" is no port/],
    ['an unknown flag', ['--prot', '4400'], {}, /--data-dir/],
    [
      'a Temporal that does not answer',
      [],
      { TEMPORAL_ADDRESS: '127.0.0.1:9' },
      /No Temporal server answers at 127\.0\.0\.1:9.*\n.*unset TEMPORAL_ADDRESS/,
    ],
    [
      'a Temporal CLI that is none',
      [],
      { TEMPORAL_CLI: '/nowhere/temporal' },
      /TEMPORAL_CLI names \/nowhere\/temporal/,
    ],
    [
      'a database that does not answer',
      [],
      { DATABASE_URL: 'postgres://nobody@127.0.0.1:9/none' },
      /Check DATABASE_URL/,
    ],
  ] as const)('says in plain words what is wrong: %s', async (_, args, environment, message) => {
    const started = start(args, { PLUMBLINE_PORT: String(await freePort()), ...environment });
    expect(await started.ended).toBe(1);
    expect(started.output()).toMatch(message);
    expect(started.output()).not.toMatch(/ {4}at .*\.ts:\d+/);
  });

  test('says so when the port is taken', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => taken.once('listening', resolve));
    const { port } = taken.address() as { port: number };
    const started = start(['--port', String(port)]);
    expect(await started.ended).toBe(1);
    expect(started.output()).toMatch(new RegExp(`Port ${port} on 127\\.0\\.0\\.1 is taken.*\\n.*--port`));
    taken.close();
  });
});
