-- Events that a person dropped before they began, together and for a reason. The events stay, so that they can be put back.
create table event_drops (
  id uuid not null default plumbline_uuid(),
  company_id uuid not null references companies (id) on delete cascade,
  reason text not null,
  -- What was asked for: { ids } or { kind, key, q }.
  chosen jsonb not null,
  count integer not null,
  dropped_by text not null,
  dropped_at timestamptz not null,
  put_back_by text,
  put_back_at timestamptz,
  primary key (company_id, id)
);
create index event_drops_latest on event_drops (company_id, dropped_at desc);
call isolate_by_company('event_drops');
grant select, insert, update (put_back_by, put_back_at) on event_drops to plumbline_app;

alter table events drop constraint events_status_check;
alter table events add constraint events_status_check check (status in ('pending', 'dispatched', 'ignored', 'dropped'));
alter table events add column drop_id uuid;
alter table events add foreign key (company_id, drop_id) references event_drops (company_id, id);
-- Serves putting back.
create index events_dropped on events (company_id, drop_id) where drop_id is not null;
alter table events add constraint events_dropped_by_hand check ((status = 'dropped') = (drop_id is not null));
-- What has begun cannot be dropped, whoever asks; and what is dropped can only be put back.
create function keep_begun_events() returns trigger language plpgsql as $$
begin
  raise exception 'An event that is % cannot become %', old.status, new.status using errcode = 'check_violation';
end $$;
create trigger events_begun before update of status on events for each row
  when ((new.status = 'dropped' and old.status not in ('pending', 'dropped')) or (old.status = 'dropped' and new.status not in ('pending', 'dropped')))
  execute function keep_begun_events();

-- Whoever waits for the answer of an event that is dropped is told, as for one that nobody takes.
drop trigger events_ignored on events;
create trigger events_ignored after update of status on events for each row
  when (new.status in ('ignored', 'dropped') and new.awaited_until is not null) execute function notify_answer_of_event();
