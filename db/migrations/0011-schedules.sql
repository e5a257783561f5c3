-- When a schedule comes next; null for every other kind.
alter table subscriptions add column next_fire_at timestamptz;
-- Serves the scheduler: what is due, across companies.
create index subscriptions_due on subscriptions (next_fire_at) where kind = 'schedule' and active;
grant select (next_fire_at) on subscriptions to plumbline_dispatcher;
