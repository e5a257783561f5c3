-- Notices by statement instead of by row: rows are written in batches.
drop trigger events_arrived on events;
drop trigger runs_live_insert on runs;
drop trigger runs_live_update on runs;
drop trigger steps_live_insert on steps;
drop trigger steps_live_update on steps;

create or replace function notify_event() returns trigger language plpgsql as $$
begin
  perform pg_notify('plumbline_events', company_id::text) from (select distinct company_id from changed where status = 'pending') waiting;
  return null;
end $$;
create trigger events_arrived after insert on events referencing new table as changed for each statement execute function notify_event();

create function notify_live_runs() returns trigger language plpgsql as $$
begin
  if tg_op = 'INSERT' then
    perform pg_notify('plumbline_live', json_build_object('companyId', company_id, 'topic', 'run', 'id', id, 'flowId', flow_id, 'status', status)::text) from changed;
  else
    perform pg_notify('plumbline_live', json_build_object('companyId', changed.company_id, 'topic', 'run', 'id', changed.id, 'flowId', changed.flow_id, 'status', changed.status)::text)
      from changed join before using (company_id, id) where before.status is distinct from changed.status;
  end if;
  return null;
end $$;
create trigger runs_live_insert after insert on runs referencing new table as changed for each statement execute function notify_live_runs();
create trigger runs_live_update after update on runs referencing new table as changed old table as before for each statement execute function notify_live_runs();

create function notify_live_steps() returns trigger language plpgsql as $$
begin
  perform pg_notify('plumbline_live', json_build_object('companyId', company_id, 'topic', 'step', 'id', run_id, 'nodeId', node_id, 'status', status)::text) from changed;
  return null;
end $$;
create trigger steps_live_insert after insert on steps referencing new table as changed for each statement execute function notify_live_steps();
create trigger steps_live_update after update on steps referencing new table as changed for each statement execute function notify_live_steps();
