import { literal, type DispatcherStore, type RunWake, type Store } from '@plumbline/db';
import type { Carriers } from '@plumbline/workflows/client';
import type { Logger } from 'pino';
import type { ConfirmedCarriers } from './start-carriers.ts';

/** Told at once. */
const BATCH = 1_000;
const IN_FLIGHT = 10;

/**
 * Tells the carriers of runs to which something happened while they waited. A note goes once its carrier was told; telling one twice is harmless. A run
 * whose carrier Temporal does not know keeps its note until the carrier was started; one that Temporal has lost is started again.
 * @returns how many were told.
 */
export async function wakeRuns(options: {
  readonly store: Store;
  readonly dispatcher: DispatcherStore;
  readonly carriers: Carriers;
  readonly log: Logger;
  readonly confirmed: ConfirmedCarriers;
}): Promise<number> {
  const wakes = await options.dispatcher.runsToWake(BATCH);
  const waiting = [...Map.groupBy(wakes, ({ carrierId }) => carrierId).values()];
  const told: RunWake[] = [];
  const unknown: RunWake[] = [];
  let failures = 0;
  const work = async (): Promise<void> => {
    for (let group = waiting.shift(); group; group = waiting.shift()) {
      const [first] = group;
      if (!first || failures > 2) continue; // Temporal is away: the sweep comes back to the rest
      try {
        const known = await options.carriers.look(
          first,
          group.map(({ runId }) => runId),
        );
        (known ? told : unknown).push(...group);
        // Temporal does not know it after all.
        if (!known) options.confirmed.delete(first.carrierId);
      } catch (error) {
        failures++;
        const { carrierId } = first;
        options.log.warn({ err: error, carrierId }, 'runs could not be woken; it will be tried again');
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(IN_FLIGHT, waiting.length) }, work));
  for (const [companyId, own] of Map.groupBy([...told, ...unknown], (wake) => wake.companyId)) {
    const company = literal(companyId);
    const numbersOf = (of: readonly RunWake[]): string =>
      `${literal(
        `{${own
          .filter((wake) => of.includes(wake))
          .map((wake) => wake.number)
          .join(',')}}`,
      )}::bigint[]`;
    await options.store.script(companyId, [
      `delete from run_wakes where company_id = ${company} and number = any(${numbersOf(told)})`,
      `delete from run_wakes using runs
        where run_wakes.company_id = ${company} and number = any(${numbersOf(unknown)})
          and runs.company_id = ${company} and runs.id = run_wakes.run_id and runs.finished_at is not null`,
      // A run that another carrier has taken over meanwhile: it is that one which is to be told.
      `with stale as (
         delete from run_wakes using runs
          where run_wakes.company_id = ${company} and number = any(${numbersOf(unknown)})
            and runs.company_id = ${company} and runs.id = run_wakes.run_id and runs.carrier_id <> run_wakes.carrier_id
         returning run_wakes.run_id, runs.carrier_id)
       insert into run_wakes (company_id, run_id, carrier_id) select ${company}, run_id, carrier_id from stale`,
      // The sweep starts them again under the same id.
      `update runs set confirmed_at = null from run_wakes
        where runs.company_id = ${company} and runs.id = run_wakes.run_id and runs.finished_at is null
          and run_wakes.company_id = ${company} and number = any(${numbersOf(unknown)})`,
    ]);
  }
  return told.length;
}
