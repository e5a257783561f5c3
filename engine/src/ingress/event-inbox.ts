import { json, literal, type Store } from '@plumbline/db';
import { GroupCommit } from '@plumbline/db/group-commit';

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

/** Stores events of many senders at once: one commit for all that arrive while the last one is under way. */
export function eventInbox(store: Store): GroupCommit<NewEvent, StoredEvent> {
  return new GroupCommit<NewEvent, StoredEvent>({
    apply: async (companyId, events) => {
      const given = events.map(({ kind, key, dedupeKey, data, awaitedUntil }) => ({
        kind,
        key,
        dedupe_key: dedupeKey,
        data,
        awaited_until: awaitedUntil ?? null,
      }));
      const [rows = []] = await store.script(companyId, [
        `insert into events (company_id, kind, key, dedupe_key, data, awaited_until)
         select '${companyId}', kind, key, dedupe_key, data, awaited_until
           from jsonb_to_recordset(${literal(json(given))}::jsonb) as given (kind text, key text, dedupe_key text, data jsonb, awaited_until timestamptz)
         on conflict (company_id, key, dedupe_key) do nothing
         returning id, key, dedupe_key`,
      ]);
      const fresh = new Map(
        rows.map((row) => [`${String(row['key'])}\n${String(row['dedupe_key'])}`, String(row['id'])]),
      );
      return events.map(({ key, dedupeKey }) => {
        const name = `${key}\n${dedupeKey}`;
        const id = fresh.get(name);
        // The second of two in one batch is the repeat.
        fresh.delete(name);
        return id === undefined ? { duplicate: true } : { id, duplicate: false };
      });
    },
  });
}
