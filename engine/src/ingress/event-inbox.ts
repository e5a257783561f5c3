import { json, literal, type Store } from '@plumbline/db';
import { isDatabaseAway } from '@plumbline/db/database-away';
import { GroupCommit } from '@plumbline/db/group-commit';
import type { AtOnce } from '../dispatch/at-once.ts';
import type { QueuedRun } from '../dispatch/claim.ts';

/** So long it is said that an event could not be stored. */
const TROUBLE_MS = 30_000;

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

/** Where what happened is stored before it is acknowledged. */
export interface EventInbox {
  /**
   * Resolves when the event is committed.
   * @throws what the database said about this very event.
   */
  submit(companyId: string, event: NewEvent): Promise<StoredEvent>;
  /** Why an event could not be stored a moment ago, while none could since. */
  trouble(): Error | undefined;
}

/**
 * Stores events of many senders at once: one commit for all that arrive while the last one is under way. On an idle system their runs are started with
 * them.
 */
export function eventInbox(store: Store, atOnce: AtOnce): EventInbox {
  let trouble: { readonly error: Error; readonly at: number } | undefined;
  const commits = new GroupCommit<NewEvent, StoredEvent>({
    apply: async (companyId, events) => {
      const given = givenRows(events);
      if (!atOnce.mayTake(companyId, events.length)) return receipts(events, await insert(store, companyId, given));
      const keys = new Set(events.map(({ key }) => key));
      const started = await store
        .script(companyId, atOnce.statements(companyId, keys, given))
        .catch((error: unknown) => {
          if (!isGoneMeanwhile(error)) throw error;
          return undefined;
        });
      if (!started) return receipts(events, await insert(store, companyId, given));
      const [, rows = []] = started;
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
  return {
    submit: async (companyId, event) => {
      try {
        const stored = await commits.submit(companyId, event);
        trouble = undefined;
        return stored;
      } catch (error) {
        if (isDatabaseAway(error)) trouble = { error, at: performance.now() };
        throw error;
      }
    },
    // Whoever sends nothing here because of it would never hear that it is over.
    trouble: () => (trouble && performance.now() - trouble.at < TROUBLE_MS ? trouble.error : undefined),
  };
}

/** A flow was removed while runs of it were started: what happened is stored all the same, and the dispatcher finds that nobody takes it. */
function isGoneMeanwhile(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === '23503';
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
