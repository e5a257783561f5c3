import { Kysely, PostgresDialect, sql } from 'kysely';
import { createPool } from './pool.ts';
import type { Tables } from './tables.ts';

/** A run whose carrier Temporal may not have. */
export interface UnconfirmedRun {
  readonly companyId: string;
  readonly runId: string;
  readonly carrierId: string;
  readonly planHash: string;
}

/** A run to which something happened while it waited. */
export interface RunWake {
  readonly companyId: string;
  readonly runId: string;
  readonly carrierId: string;
  readonly number: string;
}

/**
 * The little that is seen across companies, as the role `plumbline_dispatcher`: who has work waiting, and where a webhook address leads. Never data.
 */
export class DispatcherStore {
  readonly #db: Kysely<Tables>;

  constructor(db: Kysely<Tables>) {
    this.#db = db;
  }

  /** Companies with events that are due, by the clock that wrote since when: our own may be behind it. Served by `events_due`. */
  async companiesWithPendingEvents(): Promise<string[]> {
    const rows = await this.#db
      .selectFrom('events')
      .select('company_id')
      .distinct()
      .where('status', '=', 'pending')
      .where('next_attempt_at', '<=', sql<Date>`now()`)
      .limit(1_000)
      .execute();
    return rows.map((row) => row.company_id);
  }

  /** Runs queued before `before` that Temporal has not confirmed. Served by `runs_unconfirmed`. */
  async unconfirmedRuns(before: Date, limit: number): Promise<UnconfirmedRun[]> {
    const rows = await this.#db
      .selectFrom('runs')
      .select(['company_id', 'id', 'carrier_id', 'plan_hash'])
      .where('confirmed_at', 'is', null)
      .where('finished_at', 'is', null)
      .where('queued_at', '<=', before)
      .orderBy('queued_at')
      .orderBy('carrier_id')
      .limit(limit)
      .execute();
    // A carrier is started with all of its runs or not at all: those left out would never be carried.
    const cut = rows.length === limit ? rows.at(-1)?.carrier_id : undefined;
    const whole = rows.filter((row) => row.carrier_id !== cut);
    return (whole.length > 0 ? whole : rows).map((row) => ({
      companyId: row.company_id,
      runId: row.id,
      carrierId: row.carrier_id,
      planHash: row.plan_hash,
    }));
  }

  /** Runs whose carriers are to be told that something happened, oldest first. Served by `run_wakes_oldest`. */
  async runsToWake(limit: number): Promise<RunWake[]> {
    const rows = await this.#db
      .selectFrom('run_wakes')
      .select(['company_id', 'run_id', 'carrier_id', 'number'])
      .orderBy('created_at')
      .limit(limit)
      .execute();
    return rows.map((row) => ({
      companyId: row.company_id,
      runId: row.run_id,
      carrierId: row.carrier_id,
      number: row.number,
    }));
  }

  /** Where a public webhook key leads. Served by `subscriptions_by_endpoint`. */
  async findEndpoint(
    key: string,
  ): Promise<{ readonly companyId: string; readonly subscriptionId: string } | undefined> {
    const row = await this.#db
      .selectFrom('subscriptions')
      .select(['company_id', 'id'])
      .where('kind', '=', 'webhook')
      .where('key', '=', key)
      .where('active', '=', true)
      .executeTakeFirst();
    return row && { companyId: row.company_id, subscriptionId: row.id };
  }

  /** Schedules whose time has come, or has and waits in line. Served by `subscriptions_due` and `subscriptions_in_line`. */
  async dueSchedules(
    now: Date,
    limit: number,
  ): Promise<{ readonly companyId: string; readonly subscriptionId: string }[]> {
    const rows = await this.#db
      .selectFrom('subscriptions')
      .select(['company_id', 'id'])
      .where('kind', '=', 'schedule')
      .where('active', '=', true)
      .where((eb) => eb.or([eb('next_fire_at', '<=', now), eb('waiting_fire_at', 'is not', null)]))
      .orderBy('next_fire_at')
      .limit(limit)
      .execute();
    return rows.map((row) => ({ companyId: row.company_id, subscriptionId: row.id }));
  }

  /** Polls whose time has come and that nobody holds. Served by `subscriptions_polls_due`. */
  async duePolls(now: Date, limit: number): Promise<{ readonly companyId: string; readonly subscriptionId: string }[]> {
    const rows = await this.#db
      .selectFrom('subscriptions')
      .select(['company_id', 'id'])
      .where('kind', '=', 'poll')
      .where('active', '=', true)
      .where('next_poll_at', '<=', now)
      .where((eb) => eb.or([eb('poll_lease_until', 'is', null), eb('poll_lease_until', '<=', now)]))
      .orderBy('next_poll_at')
      .limit(limit)
      .execute();
    return rows.map((row) => ({ companyId: row.company_id, subscriptionId: row.id }));
  }

  /** Approvals that somebody has to be reminded of, or whose time is up. Served by `approvals_due`. */
  async dueApprovals(now: Date, limit: number): Promise<{ readonly companyId: string; readonly approvalId: string }[]> {
    const rows = await this.#db
      .selectFrom('approvals')
      .select(['company_id', 'id'])
      .where('status', '=', 'open')
      .where('next_at', '<=', now)
      .orderBy('next_at')
      .limit(limit)
      .execute();
    return rows.map((row) => ({ companyId: row.company_id, approvalId: row.id }));
  }

  /** Mails that are due, oldest first. Served by `mail_outbox_due`. */
  async dueMails(now: Date, limit: number): Promise<{ readonly companyId: string; readonly mailId: string }[]> {
    const rows = await this.#db
      .selectFrom('mail_outbox')
      .select(['company_id', 'id'])
      .where('sent_at', 'is', null)
      .where('dropped_at', 'is', null)
      .where('next_attempt_at', '<=', now)
      .orderBy('next_attempt_at')
      .limit(limit)
      .execute();
    return rows.map((row) => ({ companyId: row.company_id, mailId: row.id }));
  }

  /** Where the link with a token of this hash leads. Served by `approval_links_by_token`. */
  async findApprovalLink(tokenHash: Buffer): Promise<{ readonly companyId: string } | undefined> {
    const row = await this.#db
      .selectFrom('approval_links')
      .select('company_id')
      .where('token_hash', '=', tokenHash)
      .executeTakeFirst();
    return row && { companyId: row.company_id };
  }

  /** Events that wait, and for how long the oldest has. */
  async backlog(now: Date): Promise<{ readonly pending: number; readonly oldestSeconds: number | null }> {
    const row = await this.#db
      .selectFrom('events')
      .select((eb) => [eb.fn.countAll<string>().as('count'), eb.fn.min('next_attempt_at').as('oldest')])
      .where('status', '=', 'pending')
      .executeTakeFirstOrThrow();
    return {
      pending: Number(row.count),
      oldestSeconds: row.oldest ? Math.max(0, (now.getTime() - new Date(row.oldest).getTime()) / 1_000) : null,
    };
  }

  async close(): Promise<void> {
    await this.#db.destroy();
  }
}

export function openDispatcherStore(url: string): DispatcherStore {
  return new DispatcherStore(
    new Kysely<Tables>({ dialect: new PostgresDialect({ pool: createPool(url, { max: 5 }) }) }),
  );
}
