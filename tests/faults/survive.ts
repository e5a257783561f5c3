import { expect } from 'vitest';
import { ERRAND, publishErrand } from '../support/errand.ts';
import { expectAccountsTie, expectAllOnce, underWay, untilSettled } from '../support/ledger.ts';
import type { MockVendor } from '../support/mock-vendor.ts';
import type { TestPlatform } from '../support/platform.ts';
import { report, seed } from '../support/profile.ts';
import { openSender, type Sender } from '../support/sender.ts';
import { until } from '../support/until.ts';

/** A load, and what dies while it lasts. */
export interface Trial {
  readonly row: string;
  /** At least so many deliveries; more, until the last fault has come. */
  readonly flows: number;
  readonly perSecond: number;
  readonly faults: number;
  readonly everyMs: number;
  /** Does harm and says what to. */
  readonly harm: () => string | Promise<string>;
  /** From the last fault until everything has ended. */
  readonly recoveryMs: number;
  /** Answers a sender may see meanwhile; 0 is a connection that broke. */
  readonly mayAnswer: readonly number[];
  /** Faults come while others last, so that some find nothing under way; most must. */
  readonly overlapping?: boolean;
  /** Where the errands' vendor is reached, when not straight. */
  readonly origin?: string;
}

/** What a trial caused; without any of it, it proved nothing. */
export interface Outcome {
  readonly acked: number;
  /** Deliveries that were not acknowledged and had to be sent again. */
  readonly resent: number;
  /** Requests to the vendor beyond those that errands undisturbed make. */
  readonly repeatedRequests: number;
  /** Writes the vendor was asked for again, under the key of the first time. */
  readonly repeatedWrites: number;
  /** Runs that were on their way each time harm was done, where anybody could say. */
  readonly disturbed: readonly number[];
  readonly restarts: readonly string[];
}

/**
 * Sends a steady load of errands, does harm at intervals, waits for everything to end, prints the figures, and holds them to the promise: nothing lost,
 * nothing doubled, nothing out of order, the accounts tie.
 */
export async function survive(up: TestPlatform, vendor: MockVendor, trial: Trial): Promise<Outcome> {
  const flow = await publishErrand(await up.client(), trial.origin ?? vendor.origin, { name: trial.row });
  await using sender = openSender(flow, up.platform.origins);
  const before = { restarts: up.restarts.length, requests: vendor.requests(), repeats: vendor.repeats() };
  const harmed: Record<string, number> = {};
  const disturbed: number[] = [];
  let lastFault = performance.now();
  const harming = (async () => {
    for (let n = 0; n < trial.faults; n++) {
      await due(lastFault + trial.everyMs);
      // The database may be the one that is away.
      const met = await underWay(up, flow.id).catch(() => undefined);
      if (met !== undefined) disturbed.push(met);
      // What is only just being started again cannot be killed yet.
      const what = await until(
        `something to do ${trial.row}'s harm to`,
        async () => {
          const name = await trial.harm();
          return !name.startsWith('no ') && name;
        },
        { everyMs: 100 },
      );
      harmed[what] = (harmed[what] ?? 0) + 1;
      lastFault = performance.now();
    }
  })();
  let harmIsOver = false;
  const deliveries = load(sender, trial, () => harmIsOver);
  await harming;
  harmIsOver = true;
  await Promise.all(await deliveries);
  await untilSettled(up, flow.id, sender);
  const recoveryMs = performance.now() - lastFault;
  const outcome: Outcome = {
    acked: sender.acked.size,
    resent: sender.attempts.length - sender.acked.size,
    repeatedRequests: vendor.requests() - before.requests - sender.acked.size * ERRAND.requests,
    repeatedWrites: vendor.repeats() - before.repeats,
    disturbed,
    restarts: up.restarts.slice(before.restarts),
  };
  report(trial.row, {
    answers: tally(sender.attempts.map(({ status }) => String(status))),
    slowestAckMs: Math.round(Math.max(...sender.attempts.map(({ ms }) => ms))),
    harmed,
    ...outcome,
    restarts: tally(outcome.restarts),
    recoveryMs: Math.round(recoveryMs),
  });
  await expectAllOnce({ up, flowId: flow.id, sender, vendor, writes: ERRAND.writes });
  await expectAccountsTie(up);
  expect(sender.attempts.filter(({ status }) => !trial.mayAnswer.includes(status))).toEqual([]);
  expect(
    sender.attempts.filter(({ status, retryAfter }) => status === 503 && !retryAfter),
    'refused without saying until when',
  ).toEqual([]);
  expect(outcome.disturbed.length, 'faults of which is known what they met').toBeGreaterThan(0);
  const met = outcome.disturbed.filter((count) => count > 0).length;
  expect(met, 'faults that met runs').toBeGreaterThanOrEqual(outcome.disturbed.length * (trial.overlapping ? 0.5 : 1));
  expect(recoveryMs, 'from the last fault to the end of all runs').toBeLessThan(trial.recoveryMs);
  return outcome;
}

/** A steady load until all are sent and the harm is over; resolves with the deliveries that are on their way. */
async function load(sender: Sender, trial: Trial, isOver: () => boolean): Promise<Promise<void>[]> {
  const deliveries: Promise<void>[] = [];
  const began = performance.now();
  for (let n = 0; n < trial.flows || !isOver(); n++) {
    await due(began + (n * 1_000) / trial.perSecond);
    deliveries.push(sender.deliver(`${trial.row.replaceAll(/\W+/g, '-')}-${seed}-${n}`));
  }
  return deliveries;
}

async function due(time: number): Promise<void> {
  await until('the next to be due', () => Promise.resolve(performance.now() >= time), { everyMs: 5 });
}

function tally(items: readonly string[]): Record<string, number> {
  return Object.fromEntries([...Map.groupBy(items, (item) => item)].map(([item, all]) => [item, all.length]));
}
