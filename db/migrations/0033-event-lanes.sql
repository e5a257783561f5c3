-- Whose turn it is among events that wait: what a person started goes before what came by itself, and that before what was due anyway. Somebody may put
-- those of one kind first.
alter table events add column lane smallint generated always as (
  case kind when 'manual' then 0 when 'schedule' then 2 else 1 end) stored;
alter table events add column put_first boolean not null default false;
-- Serves the dispatcher's claim beside `events_pending`.
create index events_pending_by_lane on events (company_id, put_first desc, lane, seq) where status = 'pending';
