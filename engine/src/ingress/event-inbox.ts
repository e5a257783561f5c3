import { json, type Store } from '@plumbline/db';
import { GroupCommit } from '@plumbline/db/group-commit';

/** Something that happened, before anything else looks at it. */
export interface NewEvent {
  readonly kind: 'webhook' | 'manual' | 'schedule' | 'connector';
  /** Matches the subscriptions' key. */
  readonly key: string;
  /** The same for a repeat of the same event. */
  readonly dedupeKey: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface StoredEvent {
  /** Absent when it was there already. */
  readonly id?: string;
  readonly duplicate: boolean;
}

/** Stores events of many senders at once: one commit for all that arrive while the last one is under way. */
export function eventInbox(store: Store): GroupCommit<NewEvent, StoredEvent> {
  return new GroupCommit<NewEvent, StoredEvent>({
    store,
    apply: async (tx, companyId, events) => {
      const rows = await tx
        .insertInto('events')
        .values(
          events.map(({ kind, key, dedupeKey, data }) => ({
            company_id: companyId,
            kind,
            key,
            dedupe_key: dedupeKey,
            subject_entity: null,
            subject_id: null,
            data: json(data),
            reason: null,
            dispatched_at: null,
          })),
        )
        .onConflict((conflict) => conflict.columns(['company_id', 'key', 'dedupe_key']).doNothing())
        .returning(['id', 'key', 'dedupe_key'])
        .execute();
      const fresh = new Map(rows.map((row) => [`${row.key}\n${row.dedupe_key}`, row.id]));
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
