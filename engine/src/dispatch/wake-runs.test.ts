import { openDispatcherStore, type DispatcherStore } from '@plumbline/db';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openBench, type Bench } from '../../../workflows/src/activities/testing.ts';
import { ConfirmedCarriers } from './start-carriers.ts';
import { wakeRuns } from './wake-runs.ts';

let bench: Bench;
let dispatcher: DispatcherStore;
beforeAll(async () => {
  bench = await openBench();
  dispatcher = openDispatcherStore(bench.database.urls.dispatcher);
});
afterAll(async () => {
  await dispatcher.close();
  await bench.close();
});

test('a note for a carrier that is gone is told to the one that took the run over, and then it is gone too', async () => {
  const { companyId, runId } = (await bench.begin({}))('wait');
  await bench.database.asOwner(
    `update runs set carrier_id = 'new', confirmed_at = now(), status = 'waiting' where id = $1`,
    [runId],
  );
  await bench.database.asOwner(`insert into run_wakes (company_id, run_id, carrier_id) values ($1, $2, 'old')`, [
    companyId,
    runId,
  ]);
  const told: string[] = [];
  const carriers = {
    look: ({ carrierId }: { readonly carrierId: string }) => {
      told.push(carrierId);
      return Promise.resolve(carrierId === 'new');
    },
  };
  const wake = () =>
    wakeRuns({
      ...{ store: bench.deps.store, dispatcher, carriers: carriers as never },
      ...{ log: pino({ level: 'silent' }), confirmed: new ConfirmedCarriers() },
    });
  expect([await wake(), await wake(), await wake()]).toEqual([0, 1, 0]);
  expect(told).toEqual(['old', 'new']);
  expect(
    await bench.database.asOwner('select confirmed_at is not null as confirmed from runs where id = $1', [runId]),
  ).toEqual([{ confirmed: true }]);
});
