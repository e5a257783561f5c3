-- A run that repeats another; null for the first run of an event.
alter table runs add column rerun_of uuid;
-- Node it began again from; null when it began at the trigger.
alter table runs add column rerun_from text;
alter table runs add foreign key (company_id, rerun_of) references runs (company_id, id);

-- One first run per event and trigger, whoever dispatches it and however often. Those that repeat it keep the event: it is still what they are about.
alter table runs drop constraint runs_company_id_event_id_flow_id_trigger_node_id_key;
create unique index runs_once_per_event on runs (company_id, event_id, flow_id, trigger_node_id) where rerun_of is null;
-- A second press of the button starts nothing while the first one's run is open.
create unique index runs_one_open_rerun on runs (company_id, rerun_of) where finished_at is null and rerun_of is not null;
-- Serves "of what is this run the repeat, and what repeats it", and the foreign key.
create index runs_by_rerun on runs (company_id, rerun_of) where rerun_of is not null;
-- Serves what waits: few runs are open at any time, however many there were.
create index runs_open on runs (company_id, queued_at) where finished_at is null;

-- Taken over from the run that is repeated, not done again.
alter table steps add column carried boolean not null default false;

-- A removed flow takes its runs along. Their events say so, or they would count as lost for ever.
create function tell_events_of_removed_runs() returns trigger language plpgsql as $$
begin
  update events set status = 'ignored', reason = 'The flow that took it was removed, and its runs with it.'
   where (company_id, id) in (select company_id, event_id from removed where event_id is not null)
     and status = 'dispatched'
     and not exists (select from runs where runs.company_id = events.company_id and runs.event_id = events.id);
  return null;
end $$;
create trigger runs_removed after delete on runs referencing old table as removed for each statement execute function tell_events_of_removed_runs();
