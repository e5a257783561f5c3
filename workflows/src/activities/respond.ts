import { json, literal, type Store } from '@plumbline/db';

/**
 * Keeps the answer to the event of a run, or of the run that called it, however far up; the database tells whoever waits for it. The first answer stands, so
 * it may be called again.
 * @returns `first: false` when there was one, or when no event started the run.
 */
export async function respond(
  store: Store,
  run: { readonly companyId: string; readonly runId: string },
  answer: { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: unknown },
): Promise<{ readonly first: boolean }> {
  const body = answer.body === null || answer.body === undefined ? 'null' : `${literal(json(answer.body))}::jsonb`;
  const [rows = []] = await store.script(run.companyId, [
    `with recursive up as (
       select id, event_id, parent_run_id from runs where company_id = ${literal(run.companyId)} and id = ${literal(run.runId)}
       union all
       select runs.id, runs.event_id, runs.parent_run_id from runs join up on runs.id = up.parent_run_id
        where runs.company_id = ${literal(run.companyId)})
     insert into answers (company_id, event_id, run_id, status, headers, body)
     select ${literal(run.companyId)}, event_id, id, ${Math.trunc(answer.status)}, ${literal(json(answer.headers))}::jsonb, ${body}
       from up where event_id is not null
     on conflict (company_id, event_id) do nothing
     returning run_id`,
  ]);
  return { first: rows.length > 0 };
}
