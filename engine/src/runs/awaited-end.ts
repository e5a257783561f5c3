import type { Store } from '@plumbline/db';
import type { StepRef } from '@plumbline/workflows/activities/contract';
import type { AwaitedEnd } from '../contract/index.ts';

const kinds: Readonly<Record<string, AwaitedEnd['kind']>> = {
  approval: 'decision',
  run: 'flow',
  lock: 'lock',
  event: 'event',
};

/** What a row of `waits` says of who brings the end of a wait; null where its time does. */
export function awaitedEnd(kind: string | null, id: string | null): AwaitedEnd | null {
  const known = kind === null ? undefined : kinds[kind];
  return known && id !== null ? { kind: known, id } : null;
}

const words: Readonly<
  Record<Exclude<AwaitedEnd['kind'], 'event'>, { readonly message: string; readonly fix: string }>
> = {
  decision: {
    message: 'This step waits for a decision, and nothing else lets it go on.',
    fix: 'Open its task and decide, or drop the step.',
  },
  flow: {
    message: 'This step waits for the flow that it called.',
    fix: 'Look at the run of that flow: what it waits for can be decided there.',
  },
  lock: {
    message: 'This step waits for its turn, which another run has.',
    fix: 'Look at the runs that hold the same lock, or drop the step.',
  },
};

/** Why a step that waits cannot be told to go on; undefined when it waits for no answer, or does not wait. */
export async function whyNotWoken(
  store: Store,
  { companyId, runId, nodeId, iteration }: StepRef,
): Promise<(typeof words)['decision'] | undefined> {
  const row = await store.tenant(companyId, (tx) =>
    tx
      .selectFrom('waits')
      .select(['kind', 'key'])
      .where('company_id', '=', companyId)
      .where('run_id', '=', runId)
      .where('node_id', '=', nodeId)
      .where('iteration', '=', iteration)
      .where('answered_at', 'is', null)
      .executeTakeFirst(),
  );
  const awaited = row && awaitedEnd(row.kind, row.key);
  return awaited && awaited.kind !== 'event' ? words[awaited.kind] : undefined;
}
