import { randomUUID } from 'node:crypto';
import { literal, type Store } from '@plumbline/db';
import type { Carriers } from '@plumbline/workflows/client';
import type { CrashPointReached } from '@plumbline/workflows/crash-points';
import type { Logger } from 'pino';
import type { QueuedRun } from './claim.ts';
import { Lately } from './lately.ts';

/** Temporal's start calls get slow when hundreds are in flight at once. */
const IN_FLIGHT = 10;

/** So long a carrier that Temporal has confirmed is not started again, though no worker has come to it yet. */
const TRUSTED_MS = 60_000;

/** Carriers that Temporal has confirmed to this process. */
export class ConfirmedCarriers extends Lately {
  constructor() {
    super(TRUSTED_MS);
  }
}

/**
 * Starts the carriers of queued runs. A failure is no loss: a run stays unconfirmed until a worker has taken it up for its carrier, and the sweep starts it
 * again under the same id.
 */
export async function startCarriers(
  options: {
    readonly store: Store;
    readonly carriers: Carriers;
    readonly log: Logger;
    readonly now: () => Date;
    readonly confirmed?: ConfirmedCarriers;
    readonly crashPoint?: CrashPointReached;
  },
  runs: readonly QueuedRun[],
): Promise<void> {
  const waiting = groupByCarrier(runs).filter(([first]) => !first || !options.confirmed?.has(first.carrierId));
  let failures = 0;
  const work = async (): Promise<void> => {
    for (let carrier = waiting.pop(); carrier; carrier = waiting.pop()) {
      const [first] = carrier;
      if (!first || failures > 2) continue; // Temporal is away: the sweep comes back to the rest
      const { companyId, carrierId, planHash } = first;
      try {
        const runIds = carrier.map(({ runId }) => runId);
        const state = await options.carriers.start({ companyId, carrierId, planHash, runIds });
        options.crashPoint?.('after-carrier-started', planHash);
        if (state === 'over') await leaveToAnother(options, first, runIds);
        else options.confirmed?.add(carrierId);
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

/**
 * Runs that are open while their carrier has ended: whatever it ended for, it does not come back to them. They get another one, which the sweep starts. Those
 * that have ended since they were read stay as they are.
 */
async function leaveToAnother(
  { store, log }: { readonly store: Store; readonly log: Logger },
  { companyId, carrierId }: QueuedRun,
  runIds: readonly string[],
): Promise<void> {
  const [moved = []] = await store.script(companyId, [
    `update runs set carrier_id = ${literal(randomUUID())}, confirmed_at = null
      where company_id = ${literal(companyId)} and id = any(${literal(`{${runIds.join(',')}}`)}::uuid[])
        and carrier_id = ${literal(carrierId)} and confirmed_at is null and finished_at is null
     returning id`,
  ]);
  if (moved.length > 0)
    log.warn({ companyId, carrierId, runs: moved.length }, 'runs outlived their carrier and got another one');
}

function groupByCarrier(runs: readonly QueuedRun[]): QueuedRun[][] {
  const carriers = new Map<string, QueuedRun[]>();
  for (const run of runs) carriers.set(run.carrierId, [...(carriers.get(run.carrierId) ?? []), run]);
  return [...carriers.values()].reverse();
}
