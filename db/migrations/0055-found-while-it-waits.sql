-- A run that went on may have made something by which it is looked for: where it waits anew, what it can be found by is read anew. One that was never read stays
-- so, and nothing that was found is taken back. Otherwise `take_up` is what it was in 0047.
create or replace function take_up(ids uuid[], at timestamptz, only_queued boolean, lease uuid, lease_ms integer) returns table (
  id uuid, flow_id uuid, trigger_node_id text, queued_at timestamptz, finished_at timestamptz, depth integer, compensate boolean, test jsonb,
  subject_entity text, subject_id uuid, urgency integer, held boolean, company_name text, time_zone text, currency text
) language plpgsql set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
  company constant uuid := current_company();
  taken uuid[];
begin
  with begun as (
    update runs set
      status = 'running', started_at = coalesce(runs.started_at, take_up.at),
      confirmed_at = case when take_up.only_queued then runs.confirmed_at else coalesce(runs.confirmed_at, take_up.at) end,
      lease = take_up.lease, leased_until = now() + take_up.lease_ms * interval '1 millisecond',
      referenced = least(runs.referenced, 1)
     where runs.company_id = company and runs.id = any(take_up.ids) and runs.finished_at is null and (runs.status = 'queued' or not take_up.only_queued)
       and (runs.lease is null or runs.leased_until < now())
    returning runs.id)
  select array_agg(begun.id) into taken from begun;
  return query
    select run.id, run.flow_id, run.trigger_node_id, run.queued_at, run.finished_at, run.depth, run.compensate, run.test,
           events.subject_entity, events.subject_id,
           coalesce(run.urgency, case
             when run.test is not null or run.rerun_of is not null or events.kind = 'call' or events.awaited_until is not null then 0
             when events.kind = 'poll' then 2 else coalesce(events.lane, 1) end)::integer,
           run.finished_at is null and run.lease is distinct from take_up.lease,
           companies.name, companies.time_zone, companies.currency
      from unnest(case when take_up.only_queued then taken else take_up.ids end) as wanted (id)
      -- Each by its key, whatever the planner thinks of a table that has just been filled.
      join lateral (select * from runs where runs.company_id = company and runs.id = wanted.id offset 0) run on true
      left join lateral (select * from events where events.company_id = company and events.id = run.event_id offset 0) events on true
      join companies on companies.id = company;
end $$;
