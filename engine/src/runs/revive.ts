import { literal, type Store } from '@plumbline/db';

/**
 * Has the carriers of runs looked after that ought to be moving and are not: open, with nothing to wait for but a time that is past, and untouched for five
 * minutes. Their starts are repeated, which does nothing while a carrier is under way; one that has ended gives its runs to another. So a run that was lost
 * sight of, for a reason nobody thought of, goes on by itself.
 * @returns how many there are
 */
export async function reviveStanding(store: Store, companyId: string, now: Date): Promise<number> {
  const company = literal(companyId);
  const before = (minutes: number): string => literal(new Date(now.getTime() - minutes * 60_000).toISOString());
  const [revived = []] = await store.script(companyId, [
    `update runs set confirmed_at = null
      where company_id = ${company} and finished_at is null and status in ('waiting', 'running') and confirmed_at < ${before(5)}
        and not exists (
          select from steps
           where steps.company_id = ${company} and steps.run_id = runs.id and (
             steps.status = 'parked' or (steps.status = 'waiting' and (steps.next_attempt_at is null or steps.next_attempt_at > ${before(5)}))
             or steps.started_at > ${before(5)} or steps.finished_at > ${before(5)}))
     returning id`,
  ]);
  return revived.length;
}
