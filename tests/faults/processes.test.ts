import { afterAll, beforeAll, expect, test } from 'vitest';
import { killersOf, type Killers } from '../support/kill.ts';
import { startMockVendor, type MockVendor } from '../support/mock-vendor.ts';
import { testPlatform, type TestPlatform } from '../support/platform.ts';
import { chance, seed, size } from '../support/profile.ts';
import { survive } from './survive.ts';

let up: TestPlatform;
let vendor: MockVendor;
let killers: Killers;
const luck = chance(seed);
beforeAll(async () => {
  vendor = await startMockVendor();
  // So slow that whoever dies does so in the middle of a call.
  vendor.behave({ slowMs: 40 });
  up = await testPlatform(
    { PLUMBLINE_ALLOWED_PRIVATE_ORIGINS: vendor.origin },
    // Without it PostgreSQL acknowledges commits that die with it.
    { workers: 2, apis: 2, fsync: true },
  );
  killers = killersOf(up.platform, luck);
});
afterAll(async () => {
  await up?.[Symbol.asyncDispose]();
  await vendor?.[Symbol.asyncDispose]();
});

test('workers are killed, one at a time: nothing is lost, nothing is doubled', async () => {
  const { repeatedRequests, repeatedWrites, restarts } = await survive(up, vendor, {
    row: 'R1',
    flows: size(60, 400),
    perSecond: size(15, 5),
    faults: size(2, 12),
    everyMs: size(3_000, 15_000),
    harm: killers.worker,
    recoveryMs: 30_000,
    mayAnswer: [200],
  });
  expect(restarts.filter((name) => name.startsWith('worker')).length).toBeGreaterThanOrEqual(size(2, 12));
  expect(repeatedRequests, 'calls that a death cut off').toBeGreaterThan(0);
  // Two deaths may both miss the moment; that a write is repeated for certain is in constructs.test.ts.
  expect(repeatedWrites, 'writes asked for again under their key').toBeGreaterThanOrEqual(size(0, 1));
});

test('Temporal is killed: deliveries are acknowledged meanwhile, and everything ends once', async () => {
  const { restarts } = await survive(up, vendor, {
    row: 'R2',
    flows: size(60, 400),
    perSecond: size(15, 5),
    faults: size(1, 6),
    everyMs: size(2_000, 30_000),
    harm: killers.temporal,
    recoveryMs: 45_000,
    mayAnswer: [200],
  });
  expect(restarts).toContain('temporal');
});

test('PostgreSQL breaks off: what was not stored is refused with Retry-After, what was acknowledged ends once', async () => {
  const { resent, restarts } = await survive(up, vendor, {
    row: 'R3',
    flows: size(60, 400),
    perSecond: size(15, 5),
    faults: size(2, 5),
    everyMs: size(3_000, 30_000),
    harm: killers.postgres,
    recoveryMs: 45_000,
    mayAnswer: [200, 503],
  });
  expect(restarts.filter((name) => name === 'postgres')).toHaveLength(size(2, 5));
  // A service that falls over with its database has not dealt with it.
  expect(restarts.filter((name) => name !== 'postgres')).toEqual([]);
  expect(resent, 'deliveries refused meanwhile').toBeGreaterThan(0);
});

test('API processes are killed while senders repeat: each acknowledged delivery has one run', async () => {
  const { resent, restarts } = await survive(up, vendor, {
    row: 'R4',
    flows: size(150, 6_000),
    perSecond: 50,
    faults: size(2, 24),
    everyMs: size(1_500, 5_000),
    harm: killers.api,
    recoveryMs: 30_000,
    mayAnswer: [200, 0],
  });
  expect(restarts.filter((name) => name.startsWith('api')).length).toBeGreaterThanOrEqual(size(2, 24));
  expect(resent, 'deliveries that had to be repeated').toBeGreaterThan(0);
});
