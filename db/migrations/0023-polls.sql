alter table subscriptions drop constraint subscriptions_kind_check;
alter table subscriptions add constraint subscriptions_kind_check
  check (kind in ('webhook', 'record', 'schedule', 'manual', 'connector', 'poll', 'call', 'flow_error', 'connection_state'));
alter table events drop constraint events_kind_check;
alter table events add constraint events_kind_check
  check (kind in ('webhook', 'record', 'schedule', 'manual', 'connector', 'poll', 'call', 'flow_error', 'connection_state'));

-- What is asked for news, how far it has been read, and when it is asked next. The cursor belongs to the subscription: no version of the flow moves it.
alter table subscriptions add column node_type text;
alter table subscriptions add column integration_id uuid;
alter table subscriptions add foreign key (company_id, integration_id) references integrations (company_id, id) on delete set null (integration_id);
alter table subscriptions add column cursor jsonb;
alter table subscriptions add column next_poll_at timestamptz;
-- Whoever polls holds it until then; what comes back later is not taken.
alter table subscriptions add column poll_lease_until timestamptz;
alter table subscriptions add column poll_failures integer not null default 0;
alter table subscriptions add column poll_error jsonb;
alter table subscriptions add column polled_at timestamptz;
create index subscriptions_polls_due on subscriptions (next_poll_at) where kind = 'poll' and active;
create index subscriptions_by_integration on subscriptions (company_id, integration_id) where integration_id is not null;
grant select (next_poll_at, poll_lease_until) on subscriptions to plumbline_dispatcher;

-- A connection that works again is asked at once, not when the pause is over.
create function poll_connected() returns trigger language plpgsql as $$
begin
  update subscriptions set next_poll_at = now()
   where company_id = new.company_id and integration_id = new.id and kind = 'poll' and active and poll_failures > 0;
  return null;
end $$;
create trigger integrations_polled after update of status on integrations for each row
  when (new.status = 'connected' and old.status is distinct from new.status) execute function poll_connected();
