import { json, literal, type Store } from '@plumbline/db';
import { GroupCommit } from '@plumbline/db/group-commit';
import type { AtOnce } from '../dispatch/at-once.ts';
import type { QueuedRun } from '../dispatch/claim.ts';

/** Something that happened, before anything else looks at it. */
export interface NewEvent {
  readonly kind: 'webhook' | 'manual' | 'call';
  /** Matches the subscriptions' key. */
  readonly key: string;
  /** The same for a repeat of the same event. */
  readonly dedupeKey: string;
  readonly data: Readonly<Record<string, unknown>>;
  /** Until when its sender waits for what becomes of it. */
  readonly awaitedUntil?: Date;
}

export interface StoredEvent {
  /** Absent when it was there already. */
  readonly id?: string;
  readonly duplicate: boolean;
}

type Row = Readonly<Record<string, unknown>>;

/**
 * Stores events of many senders at once: one commit for all that arrive while the last one is under way. On an idle system their runs are started with
 * them.
 */
export function eventInbox(store: Store, atOnce: AtOnce): GroupCommit<NewEvent, StoredEvent> {
  return new GroupCommit<NewEvent, StoredEvent>({
    apply: async (companyId, events) => {
      const given = givenRows(events);
      if (!atOnce.mayTake(companyId, events.length)) return receipts(events, await insert(store, companyId, given));
      const [rows = []] = await store.script(companyId, [atOnce.statement(companyId, given)]);
      if (rows.some((row) => row['run_id'] === null)) atOnce.left(companyId);
      atOnce.start(
        companyId,
        rows.flatMap((row): QueuedRun[] =>
          row['run_id'] === null
            ? []
            : [
                {
                  companyId,
                  runId: String(row['run_id']),
                  carrierId: String(row['carrier_id']),
                  planHash: String(row['plan_hash']),
                },
              ],
        ),
      );
      return receipts(events, rows);
    },
  });
}

function givenRows(events: readonly NewEvent[]): string {
  const rows = events.map(({ kind, key, dedupeKey, data, awaitedUntil }) => ({
    kind,
    key,
    dedupe_key: dedupeKey,
    data,
    awaited_until: awaitedUntil ?? null,
  }));
  return `jsonb_to_recordset(${literal(json(rows))}::jsonb) as given (kind text, key text, dedupe_key text, data jsonb, awaited_until timestamptz)`;
}

async function insert(store: Store, companyId: string, given: string): Promise<readonly Row[]> {
  const [rows = []] = await store.script(companyId, [
    `insert into events (company_id, kind, key, dedupe_key, data, awaited_until)
     select '${companyId}', kind, key, dedupe_key, data, awaited_until from ${given}
     on conflict (company_id, key, dedupe_key) do nothing
     returning id, key, dedupe_key`,
  ]);
  return rows;
}

function receipts(events: readonly NewEvent[], rows: readonly Row[]): StoredEvent[] {
  const fresh = new Map(rows.map((row) => [`${String(row['key'])}\n${String(row['dedupe_key'])}`, row]));
  return events.map(({ key, dedupeKey }) => {
    const name = `${key}\n${dedupeKey}`;
    const row = fresh.get(name);
    // The second of two in one batch is the repeat.
    fresh.delete(name);
    if (!row) return { duplicate: true };
    return { id: String(row['id']), duplicate: false };
  });
}
