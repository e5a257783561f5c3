import { literal, type Store } from '@plumbline/db';
import type { Carriers } from '@plumbline/workflows/client';
import type { CrashPointReached } from '@plumbline/workflows/crash-points';
import type { Logger } from 'pino';
import type { QueuedRun } from './claim.ts';

/** Temporal's start calls get slow when hundreds are in flight at once. */
const IN_FLIGHT = 10;

/**
 * Starts the carriers of queued runs and marks those that Temporal has taken. A failure is no loss: the run stays queued, and the sweep starts it again
 * under the same id.
 */
export async function startCarriers(
  options: {
    readonly store: Store;
    readonly carriers: Carriers;
    readonly log: Logger;
    readonly now: () => Date;
    readonly crashPoint?: CrashPointReached;
  },
  runs: readonly QueuedRun[],
): Promise<void> {
  const waiting = groupByCarrier(runs);
  let failures = 0;
  const work = async (): Promise<void> => {
    for (let carrier = waiting.pop(); carrier; carrier = waiting.pop()) {
      const [first] = carrier;
      if (!first || failures > 2) continue; // Temporal is away: the sweep comes back to the rest
      const { companyId, carrierId, planHash } = first;
      try {
        await options.carriers.start({
          companyId,
          carrierId,
          planHash,
          runIds: carrier.map(({ runId }) => runId),
        });
        options.crashPoint?.('after-carrier-started', planHash);
        await options.store.script(companyId, [
          `update runs set confirmed_at = ${literal(options.now().toISOString())}
            where company_id = ${literal(companyId)} and carrier_id = ${literal(carrierId)} and confirmed_at is null`,
        ]);
      } catch (error) {
        failures++;
        options.log.warn(
          { err: error, companyId, carrierId },
          'a carrier could not be started; it will be tried again',
        );
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(IN_FLIGHT, waiting.length) }, work));
}

function groupByCarrier(runs: readonly QueuedRun[]): QueuedRun[][] {
  const carriers = new Map<string, QueuedRun[]>();
  for (const run of runs) carriers.set(run.carrierId, [...(carriers.get(run.carrierId) ?? []), run]);
  return [...carriers.values()].reverse();
}
