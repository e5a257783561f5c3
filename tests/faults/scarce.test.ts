import { spawnSync } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Health } from '@plumbline/engine/contract';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { publishErrand } from '../support/errand.ts';
import { percentile } from '../support/figures.ts';
import { expectAccountsTie, untilSettled } from '../support/ledger.ts';
import { startMockVendor, type MockVendor } from '../support/mock-vendor.ts';
import { testPlatform, type TestPlatform } from '../support/platform.ts';
import { report, seed, size } from '../support/profile.ts';
import { openSender } from '../support/sender.ts';
import { survive } from './survive.ts';

let up: TestPlatform;
let vendor: MockVendor;
beforeAll(async () => {
  vendor = await startMockVendor();
  vendor.behave({ slowMs: 40 });
  up = await testPlatform({ PLUMBLINE_ALLOWED_PRIVATE_ORIGINS: vendor.origin }, { workers: 2, apis: 2, fsync: true });
});
afterAll(async () => {
  await up?.[Symbol.asyncDispose]();
  await vendor?.[Symbol.asyncDispose]();
});

const load = {
  flows: size(60, 400),
  perSecond: size(15, 10),
  faults: size(2, 5),
  everyMs: size(4_000, 12_000),
  recoveryMs: 45_000,
};
/** So long there is none of it. */
const SCARCE_MS = size(3_000, 6_000);

test('the connections of the database are used up, and ours are broken off: what was acknowledged ends once', async () => {
  const { resent } = await survive(up, vendor, {
    ...load,
    row: 'Connections',
    harm: takeConnections,
    mayAnswer: [200, 503],
  });
  expect(resent, 'deliveries refused meanwhile').toBeGreaterThan(0);
  expect(up.restarts).toEqual([]);
});

test('the disk of the database is full: what cannot be stored is refused, health says so, and it goes on when there is room', async () => {
  const seen: Health[] = [];
  const { resent } = await survive(up, vendor, {
    ...load,
    row: 'Disk',
    harm: () => fillDisk(async () => seen.push(await health())),
    mayAnswer: [200, 503],
  });
  expect(resent, 'deliveries refused meanwhile').toBeGreaterThan(0);
  expect(seen.map(({ status, checks }) => [status, checks.database])).toEqual(
    Array.from({ length: load.faults }, () => [
      'degraded',
      { ok: false, detail: expect.stringMatching(/disk .* is full/) as unknown },
    ]),
  );
  expect((await health()).status, 'once there is room').toBe('ok');
  expect(up.restarts).toEqual([]);
});

const hasPrlimit = spawnSync('prlimit', ['--version']).status === 0;

test.skipIf(!hasPrlimit)('processes have no descriptors left: what was acknowledged ends once', async () => {
  const refused: number[] = [];
  await survive(up, vendor, {
    ...load,
    row: 'Descriptors',
    harm: () => takeDescriptors((count) => refused.push(count)),
    mayAnswer: [200, 503, 0],
  });
  expect(refused.length).toBe(load.faults);
  expect(Math.min(...refused), 'connections turned away each time').toBeGreaterThan(0);
  expect(up.restarts).toEqual([]);
});

test('thousands who connect and say nothing, or say it a byte at a time, are sent away, and the others do not notice', async () => {
  const flow = await publishErrand(await up.client(), vendor.origin, { name: 'Patience', sleepMs: 0 });
  await using sender = openSender(flow, up.platform.origins);
  await sender.deliver(`warm-${seed}`);
  const [origin = up.origin] = up.platform.origins;
  const path = new URL(flow.url).pathname;
  const silent = await openSockets(origin, size(500, 5_000));
  const headers = await openSockets(origin, 50);
  const bodies = await openSockets(origin, 50);
  const broken = await openSockets(origin, 50);
  const began = performance.now();
  for (const { socket } of headers) socket.write(`POST ${path} HTTP/1.1\r\nHost: x\r\n`);
  const begun = (length: string, body: string) =>
    `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n${length}\r\n\r\n${body}`;
  for (const [n, { socket }] of [...bodies, ...broken].entries())
    socket.write(n % 2 ? begun('Content-Length: 5000', '{') : begun('Transfer-Encoding: chunked', '1\r\n{\r\n'));
  const drip = setInterval(() => {
    for (const { socket } of headers) socket.write('X-Drip: 1\r\n');
    for (const [n, { socket }] of bodies.entries()) socket.write(n % 2 ? ' ' : '1\r\n \r\n');
  }, 500);
  await pause(200);
  for (const { socket } of broken) socket.destroy();
  const all = [...silent, ...headers, ...bodies];
  let over = false;
  const closed = Promise.all(all.map(({ ended }) => ended)).then((times) => ((over = true), times));
  for (let n = 0; !over; n++) {
    await sender.deliver(`beside-${seed}-${n}`);
    await pause(50);
  }
  clearInterval(drip);
  const slowest = Math.max(...(await closed)) - began;
  const acks = sender.attempts.slice(1).map(({ ms }) => ms);
  report('Slow senders', {
    silent: silent.length,
    headers: answersOf(headers),
    bodies: answersOf(bodies),
    slowestClosedMs: Math.round(slowest),
    others: acks.length,
    ackMs: { p50: Math.round(percentile(acks, 50)), max: Math.round(Math.max(...acks)) },
  });
  await untilSettled(up, flow.id, sender);
  await expectAccountsTie(up);
  expect(answersOf(headers)).toEqual(['408']);
  expect(answersOf(bodies)).toEqual(['408']);
  const log = await readFile(join(up.platform.dataDir, 'logs', 'api.log'), 'utf8');
  expect(
    log.split('\n').filter((line) => line.includes(path)),
    'who is slow, or breaks off, is no error of ours',
  ).toEqual([]);
  // Ten seconds, and two until the next look.
  expect(slowest).toBeLessThan(20_000);
  expect(sender.attempts.filter(({ status }) => status !== 200)).toEqual([]);
  expect(Math.max(...acks)).toBeLessThan(3_000);
  expect(up.restarts).toEqual([]);
});

/** Has the database refuse ours as it does when all its connections are taken, and breaks off those that we have. */
async function takeConnections(): Promise<string> {
  const roles = ['plumbline_app', 'plumbline_dispatcher', 'plumbline_auth'];
  const limit = (count: number) =>
    up.owner.query(roles.map((role) => `alter role ${role} connection limit ${count};`).join('\n'));
  await limit(0);
  try {
    await up.owner.query('select pg_terminate_backend(pid) from pg_stat_activity where usename = any($1)', [roles]);
    await pause(SCARCE_MS);
  } finally {
    await limit(-1);
  }
  return 'connections';
}

/** Has the database refuse every row as it does when it finds no room for it. A disk that is really full would take more than this test down. */
async function fillDisk(meanwhile: () => Promise<unknown>): Promise<string> {
  const tables = ['events', 'runs', 'steps', 'effects'];
  await up.owner.query(`
    create or replace function no_room() returns trigger language plpgsql as $$
    begin
      raise exception using errcode = '53100', message = 'could not extend file "base/1": No space left on device';
    end $$;
    ${tables.map((table) => `create trigger no_room before insert or update on ${table} for each statement execute function no_room();`).join('\n')}`);
  try {
    await pause(SCARCE_MS);
    await meanwhile();
  } finally {
    await up.owner.query(tables.map((table) => `drop trigger no_room on ${table};`).join('\n'));
  }
  return 'disk';
}

/** Leaves workers the descriptors that they have, and API processes 256, which idle connections take. */
async function takeDescriptors(refused: (count: number) => void): Promise<string> {
  const { apis, workers, origins } = up.platform;
  const services = [...apis, ...workers];
  const limits = services.map(({ pid }) => ({ pid, before: limitOf(pid) }));
  const sockets: Idle[] = [];
  for (const { pid, before } of limits) {
    const atMost = workers.some((worker) => worker.pid === pid) ? (await highestDescriptor(pid)) + 2 : 256;
    setLimit(pid, `${atMost}:${before.hard}`);
  }
  try {
    for (const origin of origins) sockets.push(...(await openSockets(origin, 300)));
    await pause(SCARCE_MS);
    refused(600 - sockets.filter(({ socket }) => !socket.destroyed).length);
  } finally {
    for (const { pid, before } of limits) setLimit(pid, `${before.soft}:${before.hard}`);
    for (const { socket } of sockets) socket.destroy();
  }
  return 'descriptors';
}

async function highestDescriptor(pid: number | undefined): Promise<number> {
  return Math.max(...(await readdir(`/proc/${pid}/fd`)).map(Number));
}

function limitOf(pid: number | undefined): { readonly soft: string; readonly hard: string } {
  const { stdout } = spawnSync(
    'prlimit',
    ['--pid', String(pid), '--nofile', '--raw', '--noheadings', '-o', 'SOFT,HARD'],
    {
      encoding: 'utf8',
    },
  );
  const [soft = '', hard = ''] = stdout.trim().split(/\s+/);
  return { soft, hard };
}

function setLimit(pid: number | undefined, limit: string): void {
  const { status, stderr } = spawnSync('prlimit', ['--pid', String(pid), `--nofile=${limit}`], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`prlimit: ${stderr}`);
}

interface Idle {
  readonly socket: Socket;
  /** When the other side closed it, on the clock of `performance.now()`. */
  readonly ended: Promise<number>;
  /** What it was told before. */
  readonly heard: () => string;
}

/** Connects so many times, a hundred at once: more would stand in line before the door. What is refused there is left out. */
async function openSockets(origin: string, count: number): Promise<Idle[]> {
  const { hostname, port } = new URL(origin);
  const open: Idle[] = [];
  for (let left = count; left > 0; left -= 100)
    await Promise.all(
      Array.from({ length: Math.min(left, 100) }, async () => {
        const socket = connect(Number(port), hostname);
        let heard = '';
        socket.on('error', () => undefined);
        socket.on('data', (data) => (heard += data.toString()));
        const ended = new Promise<number>((resolve) => socket.once('close', () => resolve(performance.now())));
        await Promise.race([new Promise((resolve) => socket.once('connect', resolve)), ended]);
        if (!socket.destroyed) open.push({ socket, ended, heard: () => heard });
      }),
    );
  return open;
}

/** Every status that they were answered with, once. */
function answersOf(sockets: readonly Idle[]): readonly string[] {
  return [...new Set(sockets.map(({ heard }) => /^HTTP\/1\.1 (\d{3})/.exec(heard())?.[1] ?? 'none'))];
}

async function health(): Promise<Health> {
  return (await (await fetch(`${up.origin}/api/health`)).json()) as Health;
}
