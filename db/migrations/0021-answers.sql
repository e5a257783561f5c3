-- What a flow answers the sender of the event that started it. The first answer stands, however often the event comes or its run is repeated.
create table answers (
  company_id uuid not null,
  event_id uuid not null,
  run_id uuid not null,
  status integer not null check (status between 200 and 599),
  headers jsonb not null,
  body jsonb,
  created_at timestamptz not null default now(),
  primary key (company_id, event_id),
  foreign key (company_id, event_id) references events (company_id, id) on delete cascade
);
call isolate_by_company('answers');
grant select, insert on answers to plumbline_app;

-- Until when somebody holds a line open for what becomes of this event; null for nearly all.
alter table events add column awaited_until timestamptz;

create function notify_answer() returns trigger language plpgsql as $$
begin
  perform pg_notify('plumbline_answers', new.event_id::text);
  return null;
end $$;
create trigger answers_given after insert on answers for each row execute function notify_answer();

-- A run that ends, or waits for a person, answers nothing more: whoever waits is told at once.
create function notify_answer_of_runs() returns trigger language plpgsql as $$
begin
  -- Each by its key, whatever the planner thinks of a table that has just been filled.
  perform pg_notify('plumbline_answers', changed.event_id::text)
    from changed join before using (company_id, id)
    join lateral (select awaited_until from events
                   where events.company_id = changed.company_id and events.id = changed.event_id offset 0) asked on asked.awaited_until > now()
   where before.status is distinct from changed.status and (changed.finished_at is not null or changed.status = 'parked');
  return null;
end $$;
create trigger runs_answer after update on runs referencing new table as changed old table as before for each statement execute function notify_answer_of_runs();

-- An event that starts nothing is not waited for either.
create function notify_answer_of_event() returns trigger language plpgsql as $$
begin
  perform pg_notify('plumbline_answers', new.id::text);
  return null;
end $$;
create trigger events_ignored after update of status on events for each row
  when (new.status = 'ignored' and new.awaited_until is not null) execute function notify_answer_of_event();
