-- What the dispatcher sees across companies: who has something waiting, and where an address leads. No data, no secrets.
grant select (company_id, status, next_attempt_at, seq) on events to plumbline_dispatcher;
create policy dispatcher on events for select to plumbline_dispatcher using (true);
grant select (id, company_id, flow_id, plan_hash, trigger_node_id, carrier_id, lane, status, queued_at, confirmed_at, finished_at) on runs to plumbline_dispatcher;
create policy dispatcher on runs for select to plumbline_dispatcher using (true);
grant select (id, company_id, kind, key, active) on subscriptions to plumbline_dispatcher;
create policy dispatcher on subscriptions for select to plumbline_dispatcher using (true);

-- Serves "which companies have something due", whatever the number of events.
create index events_due on events (next_attempt_at, company_id) where status = 'pending';

create function notify_event() returns trigger language plpgsql as $$
begin
  perform pg_notify('plumbline_events', new.company_id::text);
  return null;
end $$;
create trigger events_arrived after insert on events for each row when (new.status = 'pending') execute function notify_event();

-- Live updates carry ids only; whoever watches fetches what it may see.
create function notify_live() returns trigger language plpgsql as $$
declare
  change jsonb := jsonb_build_object('companyId', new.company_id, 'topic', tg_argv[0]);
begin
  if tg_argv[0] = 'step' then change := change || jsonb_build_object('id', new.run_id, 'nodeId', new.node_id, 'status', new.status);
  elsif tg_argv[0] = 'run' then change := change || jsonb_build_object('id', new.id, 'flowId', new.flow_id, 'status', new.status);
  elsif tg_argv[0] = 'connection' then change := change || jsonb_build_object('id', new.id, 'status', new.status);
  else change := change || jsonb_build_object('id', new.id);
  end if;
  perform pg_notify('plumbline_live', change::text);
  return null;
end $$;
create trigger runs_live_insert after insert on runs for each row execute function notify_live('run');
create trigger runs_live_update after update of status on runs for each row when (old.status is distinct from new.status) execute function notify_live('run');
create trigger steps_live_insert after insert on steps for each row execute function notify_live('step');
create trigger steps_live_update after update on steps for each row when (old.status is distinct from new.status or old.attempt is distinct from new.attempt) execute function notify_live('step');
create trigger notifications_live after insert on notifications for each row execute function notify_live('notification');
create trigger integrations_live after insert or update of status on integrations for each row execute function notify_live('connection');
