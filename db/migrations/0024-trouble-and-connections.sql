-- Flows in which something went wrong last; a run that goes through then means that it works again. Kept only where a flow listens to such things.
create table flow_troubles (
  company_id uuid not null,
  flow_id uuid not null,
  since timestamptz not null default now(),
  primary key (company_id, flow_id),
  foreign key (company_id, flow_id) references flows (company_id, id) on delete cascade
);
call isolate_by_company('flow_troubles');
grant select, insert, delete on flow_troubles to plumbline_app;

-- Whether a flow of the company listens to trouble at all: nearly always none, and then nothing more is done.
create function listens_to_trouble(company uuid) returns boolean language sql stable
  as $$ select exists (select from subscriptions where company_id = company and kind = 'flow_error' and active) $$;

-- Writes the event for every flow that listens, in the transaction of what happened. Never for the flow itself, and never about a run that trouble started:
-- two flows that watch each other would otherwise never come to rest.
create function tell_trouble(p_run runs, p_what text, p_step jsonb, p_error jsonb) returns void language plpgsql as $$
begin
  insert into events (company_id, kind, key, dedupe_key, data)
  select p_run.company_id, 'flow_error', s.key, concat_ws(':', p_run.id, p_what, p_step ->> 'id', pg_current_xact_id()),
         jsonb_build_object(
           'what', p_what, 'flow', jsonb_build_object('id', f.id, 'name', f.name), 'run', jsonb_build_object('id', p_run.id),
           'step', p_step, 'error', p_error, 'at', to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
    from subscriptions s join flows f on f.company_id = p_run.company_id and f.id = p_run.flow_id
   where s.company_id = p_run.company_id and s.kind = 'flow_error' and s.active and s.flow_id <> p_run.flow_id
     and coalesce(s.config ->> 'flow', '') in ('', p_run.flow_id::text)
     and case coalesce(s.config ->> 'when', 'trouble')
           when 'trouble' then p_what <> 'recovered' when 'all' then true else s.config ->> 'when' = p_what end
     and not exists (select from events e where e.company_id = p_run.company_id and e.id = p_run.event_id and e.kind = 'flow_error')
  on conflict (company_id, key, dedupe_key) do nothing;
end $$;

create function tell_ended_runs() returns trigger language plpgsql as $$
declare
  ended runs;
begin
  if not exists (select from (select distinct company_id from changed) c where listens_to_trouble(c.company_id)) then return null; end if;
  for ended in
    select changed.* from changed join before using (company_id, id)
     where before.status is distinct from changed.status and changed.status in ('failed', 'succeeded') order by changed.id
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
create trigger runs_trouble after update on runs referencing new table as changed old table as before for each statement execute function tell_ended_runs();

create function tell_parked_step() returns trigger language plpgsql as $$
declare
  stuck runs;
begin
  if not listens_to_trouble(new.company_id) then return null; end if;
  select * into stuck from runs where company_id = new.company_id and id = new.run_id;
  insert into flow_troubles (company_id, flow_id) values (stuck.company_id, stuck.flow_id) on conflict do nothing;
  perform tell_trouble(stuck, 'parked',
    jsonb_build_object('id', new.node_id, 'name', coalesce(
      (select plan -> 'steps' -> new.node_id ->> 'name' from plans where company_id = stuck.company_id and hash = stuck.plan_hash), new.node_id)),
    new.error);
  return null;
end $$;
create trigger steps_parked_insert after insert on steps for each row when (new.status = 'parked') execute function tell_parked_step();
create trigger steps_parked_update after update on steps for each row
  when (new.status = 'parked' and old.status is distinct from new.status) execute function tell_parked_step();

-- A configuration that leaves a field out means its default, as the node type has it.
create function tell_connection_state() returns trigger language plpgsql as $$
begin
  insert into events (company_id, kind, key, dedupe_key, data)
  select new.company_id, 'connection_state', s.key, concat_ws(':', new.id, new.status, pg_current_xact_id()),
         jsonb_build_object(
           'connection', jsonb_build_object('id', new.id, 'name', new.name, 'connector', new.type),
           'from', old.status, 'to', new.status, 'message', new.error_message,
           'at', to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
    from subscriptions s
   where s.company_id = new.company_id and s.kind = 'connection_state' and s.active
     and coalesce(s.config ->> 'connection', '') in ('', new.id::text)
     and coalesce(s.config ->> 'from', 'any') in ('any', old.status)
     and coalesce(s.config ->> 'to', 'needs_reconnect') in ('any', new.status)
  on conflict (company_id, key, dedupe_key) do nothing;
  return null;
end $$;
create trigger integrations_state after update of status on integrations for each row
  when (old.status is distinct from new.status) execute function tell_connection_state();
