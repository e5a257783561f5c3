import type { Transaction } from '@plumbline/db';
import { again, tell } from '@plumbline/workflows/notices';

/** Tells people of times at which nothing ran: one notice a trigger, with the newest words. */
export async function tellMissed(
  tx: Transaction,
  told: {
    readonly companyId: string;
    readonly subscriptionId: string;
    readonly flowName: string;
    readonly zone: string;
    /** In order. */
    readonly missed: readonly Date[];
    readonly caughtUp: number;
    readonly at: Date;
  },
): Promise<void> {
  const { missed, zone, caughtUp } = told;
  const [first, last] = [missed[0], missed.at(-1)];
  if (!first || !last) return;
  const shown = new Intl.DateTimeFormat('en-US', { dateStyle: 'medium', timeStyle: 'short', timeZone: zone });
  const times = missed.length === 1 ? 'a time' : `${missed.length} times`;
  const words = {
    title: `"${told.flowName}" missed ${times}`,
    body:
      missed.length === 1
        ? `Nothing ran at ${shown.format(first)}${caughtUp > 0 ? '; a later time was caught up on' : ''}. Start the flow by hand if it is still needed.`
        : `Nothing ran from ${shown.format(first)} to ${shown.format(last)}; ${caughtUp === 0 ? 'none' : caughtUp} of the times after that ${caughtUp === 1 ? 'was' : 'were'} caught up on. Start the flow by hand if more is needed.`,
  };
  const { companyId, subscriptionId, at } = told;
  await tell(tx, { companyId, key: `missed:${subscriptionId}`, severity: 'warning', ...words, at }, again.always);
}
