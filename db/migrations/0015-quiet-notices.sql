-- A transaction that notifies commits alone: the server holds one lock for all of them until the disk has answered. So nobody is told what nobody
-- watches, and the dispatcher is not woken while it has work anyway.
create table live_watchers (
  company_id uuid not null references companies (id) on delete cascade,
  watcher text not null,
  until timestamptz not null,
  primary key (company_id, watcher)
);
call isolate_by_company('live_watchers');
grant select, insert, update, delete on live_watchers to plumbline_app;

create function is_watched(company uuid) returns boolean language sql stable
  as $$ select exists (select from live_watchers where company_id = company and until > now()) $$;

create or replace function notify_live_runs() returns trigger language plpgsql as $$
begin
  if not exists (select from changed where is_watched(company_id) limit 1) then return null; end if;
  if tg_op = 'INSERT' then
    perform pg_notify('plumbline_live', json_build_object('companyId', company_id, 'topic', 'run', 'id', id, 'flowId', flow_id, 'status', status)::text) from changed;
  else
    perform pg_notify('plumbline_live', json_build_object('companyId', changed.company_id, 'topic', 'run', 'id', changed.id, 'flowId', changed.flow_id, 'status', changed.status)::text)
      from changed join before using (company_id, id) where before.status is distinct from changed.status;
  end if;
  return null;
end $$;

create or replace function notify_live_steps() returns trigger language plpgsql as $$
begin
  if not exists (select from changed where is_watched(company_id) limit 1) then return null; end if;
  perform pg_notify('plumbline_live', json_build_object('companyId', company_id, 'topic', 'step', 'id', run_id, 'nodeId', node_id, 'status', status)::text) from changed;
  return null;
end $$;

-- While older events wait, the dispatcher is awake or about to look; it looks every second in any case.
create or replace function notify_event() returns trigger language plpgsql as $$
begin
  perform pg_notify('plumbline_events', arrived.company_id::text)
    from (select company_id, min(seq) as first from changed where status = 'pending' group by company_id) arrived
   where not exists (
     select from events waiting where waiting.company_id = arrived.company_id and waiting.status = 'pending' and waiting.seq < arrived.first);
  return null;
end $$;
