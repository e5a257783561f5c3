-- A time that came while the run before it was still open, and waits in line for its end.
alter table subscriptions add column waiting_fire_at timestamptz;
create index subscriptions_in_line on subscriptions (company_id, id) where waiting_fire_at is not null;
grant select (waiting_fire_at) on subscriptions to plumbline_dispatcher;
