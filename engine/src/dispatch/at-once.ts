import { literal, type Store } from '@plumbline/db';
import { eventLock } from '@plumbline/workflows/activities/waits';
import type { Carriers } from '@plumbline/workflows/client';
import { QUEUED_CHANNEL } from '@plumbline/workflows/go-ahead';
import type { CrashPointReached } from '@plumbline/workflows/crash-points';
import type { Logger } from 'pino';
import type { QueuedRun } from './claim.ts';
import { Lately } from './lately.ts';
import { startCarriers } from './start-carriers.ts';

/** More events than this at once are better off together, in carriers that the dispatcher fills. */
const EVENTS = 4;
/** So long after a company's events were gathered, the next ones are. */
const GATHERING_MS = 100;

export interface AtOnceOptions {
  readonly store: Store;
  readonly carriers: Carriers;
  readonly log: Logger;
  readonly now: () => Date;
  /** Switched off, everything is left to the dispatcher. */
  readonly enabled: boolean;
  readonly crashPoint?: CrashPointReached;
}

/**
 * Starts the runs of events in the transaction that stores them, on an idle system: a webhook then waits for one commit, where being claimed by the
 * dispatcher costs another and two exchanges with the database. Only where nothing is in line before it, and nothing to look into: flows that take every event
 * of the key.
 */
export class AtOnce {
  readonly #options: AtOnceOptions;
  /** Companies with carriers that Temporal has not confirmed: the next events of theirs are gathered. */
  readonly #starting = new Set<string>();
  /** Companies whose events were left to the dispatcher: those that follow closely are so too, rather than looking again whether they may go ahead. */
  readonly #gathered = new Lately(GATHERING_MS);

  constructor(options: AtOnceOptions) {
    this.#options = options;
  }

  mayTake(companyId: string, events: number): boolean {
    if (!this.#options.enabled || this.#gathered.has(companyId)) return false;
    if (events <= EVENTS && !this.#starting.has(companyId)) return true;
    this.left(companyId);
    return false;
  }

  /** Events of this company were left to the dispatcher. */
  left(companyId: string): void {
    this.#gathered.add(companyId);
  }

  /** Temporal is told after the event was acknowledged; if it is away, the dispatcher's sweep tells it later. */
  start(companyId: string, runs: readonly QueuedRun[]): void {
    if (runs.length === 0) return;
    for (const { planHash } of runs) this.#options.crashPoint?.('after-runs-written', planHash);
    this.#starting.add(companyId);
    void startCarriers(this.#options, runs).finally(() => this.#starting.delete(companyId));
  }

  /**
   * Stores the events of `given` (as `kind, key, dedupe_key, data, awaited_until`, of these keys) and the runs they start, and has the workers told: one
   * statement, after one that keeps steps from beginning to wait for such an event in the middle of it. Rows, the second answer, are those of the events that
   * are new, once for each run; `run_id` is null where the dispatcher has to look.
   */
  statements(companyId: string, keys: ReadonlySet<string>, given: string): readonly [string, string] {
    const company = literal(companyId);
    const at = literal(this.#options.now().toISOString());
    const locks = [...keys].sort().map((key) => eventLock(companyId, key, 'shared'));
    const statement = `
      with arrived as (select * from ${given}),
      taking as (
        select s.kind, s.key, s.flow_id, s.node_id, v.number, v.plan_hash
          from subscriptions s
          join flows f on f.company_id = s.company_id and f.id = s.flow_id and f.status = 'on'
          join flow_versions v on v.company_id = f.company_id and v.flow_id = f.id and v.number = f.published_version
         where s.company_id = ${company} and s.active and (s.kind, s.key) in (select kind, key from arrived)
           and not exists (
             select from subscriptions choosy
              where choosy.company_id = ${company} and choosy.kind = s.kind and choosy.key = s.key and choosy.active and choosy.filter is not null)
           and not exists (
             select from events ahead where ahead.company_id = ${company} and ahead.status = 'pending' and ahead.next_attempt_at <= now())
           and not exists (
             select from waits where waits.company_id = ${company} and waits.kind = 'event' and waits.key = s.key and waits.answered_at is null)),
      stored as (
        insert into events (company_id, kind, key, dedupe_key, data, awaited_until, status, dispatched_at)
        select ${company}, kind, key, dedupe_key, data, awaited_until,
               case when taken then 'dispatched' else 'pending' end, case when taken then ${at}::timestamptz end
          from (select arrived.*, exists (select from taking where taking.kind = arrived.kind and taking.key = arrived.key) as taken from arrived) looked
        on conflict (company_id, key, dedupe_key) do nothing
        returning id, kind, key, dedupe_key, data, status),
      started as (
        insert into runs (company_id, event_id, flow_id, flow_version, plan_hash, trigger_node_id, carrier_id, lane, status)
        select ${company}, stored.id, taking.flow_id, taking.number, taking.plan_hash, taking.node_id, gen_random_uuid()::text, 0, 'queued'
          from stored join taking on taking.kind = stored.kind and taking.key = stored.key where stored.status = 'dispatched'
        returning id, event_id, plan_hash, trigger_node_id, carrier_id),
      begun as (
        insert into steps (company_id, run_id, node_id, iteration, status, attempt, port, output, started_at, finished_at)
        select ${company}, started.id, started.trigger_node_id, '', 'succeeded', 1, 'out', stored.data, ${at}, ${at}
          from started join stored on stored.id = started.event_id)
      select stored.id, stored.key, stored.dedupe_key, started.id as run_id, started.plan_hash, started.carrier_id,
             case when started.id is not null then
               pg_notify('${QUEUED_CHANNEL}', jsonb_build_object('companyId', ${company}, 'planHash', started.plan_hash, 'runIds', jsonb_build_array(started.id))::text)
             end as told
        from stored left join started on started.event_id = stored.id`;
    return [`select ${locks.join(', ')}`, statement];
  }
}
