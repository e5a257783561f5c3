-- These are called for every statement that changes runs, and nearly always there is nothing to do. What shows that is asked first, and once: asked for each
-- row it was a tenth of what the database did for a run. Row security leaves only the company's own rows; whoever is above it looks closer below.
create or replace function tell_ended_runs() returns trigger language plpgsql as $$
declare
  ended runs;
begin
  if not exists (select from subscriptions where kind = 'flow_error' and active) then return null; end if;
  for ended in
    select changed.* from changed join before using (company_id, id)
     where before.status is distinct from changed.status and changed.status in ('failed', 'succeeded') and listens_to_trouble(changed.company_id)
     order by changed.id
  loop
    if ended.status = 'failed' then
      insert into flow_troubles (company_id, flow_id) values (ended.company_id, ended.flow_id) on conflict do nothing;
      perform tell_trouble(ended, 'failed', null, ended.error);
    elsif not exists (select from steps join runs using (company_id) where runs.company_id = ended.company_id and runs.flow_id = ended.flow_id
                        and runs.finished_at is null and steps.run_id = runs.id and steps.status = 'parked') then
      delete from flow_troubles where company_id = ended.company_id and flow_id = ended.flow_id;
      if found then perform tell_trouble(ended, 'recovered', null, null); end if;
    end if;
  end loop;
  return null;
end $$;

create or replace function notify_answer_of_runs() returns trigger language plpgsql as $$
begin
  -- Each by its key, whatever the planner thinks of a table that has just been filled. Told twice, whoever waits looks twice.
  perform pg_notify('plumbline_answers', changed.event_id::text)
    from changed
    join lateral (select awaited_until from events
                   where events.company_id = changed.company_id and events.id = changed.event_id offset 0) asked on asked.awaited_until > now()
   where changed.finished_at is not null or changed.status = 'parked';
  return null;
end $$;

create or replace function withdraw_approvals() returns trigger language plpgsql as $$
begin
  update approvals set status = 'withdrawn', closed_at = changed.finished_at
    from changed
   where changed.finished_at is not null
     and approvals.company_id = changed.company_id and approvals.run_id = changed.id and approvals.status = 'open';
  return null;
end $$;

-- What a statement changed is compared with what was before row by row, unless that is forbidden: the plan is kept from a time when it changed one row.
alter function notify_live_runs() set enable_nestloop = off;

-- One event may answer thousands of waits, so each is woken for itself: joined as a whole, ten thousand took minutes.
drop trigger waits_answered on waits;
create or replace function wake_answered_runs() returns trigger language plpgsql as $$
begin
  insert into run_wakes (company_id, run_id, carrier_id)
  select company_id, id, carrier_id from runs where company_id = new.company_id and id = new.run_id and finished_at is null;
  return null;
end $$;
create trigger waits_answered after update on waits for each row
  when (old.answered_at is null and new.answered_at is not null) execute function wake_answered_runs();

-- Each number and name of a run was checked against its run. They are written only together with, and for, runs that were just read; and they go with them.
alter table run_references drop constraint run_references_company_id_run_id_fkey;
create function remove_references_of_removed_runs() returns trigger language plpgsql as $$
begin
  delete from run_references using removed where run_references.company_id = removed.company_id and run_references.run_id = removed.id;
  return null;
end $$;
create trigger runs_removed_references after delete on runs referencing old table as removed
  for each statement execute function remove_references_of_removed_runs();
