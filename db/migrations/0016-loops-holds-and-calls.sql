-- One turn of a loop: its item, what became of it, what it handed on. `parent` is the turn of the loops around, '' at top level.
create table iterations (
  company_id uuid not null,
  run_id uuid not null,
  node_id text not null,
  parent text not null default '',
  index integer not null,
  item jsonb,
  status text not null default 'pending' check (status in ('pending', 'done', 'failed', 'skipped')),
  value jsonb,
  error jsonb,
  finished_at timestamptz,
  primary key (company_id, run_id, node_id, parent, index),
  foreign key (company_id, run_id) references runs (company_id, id) on delete cascade
);
-- Serves "which items come next", whatever the length of the list.
create index iterations_pending on iterations (company_id, run_id, node_id, parent, index) where status = 'pending';
call isolate_by_company('iterations');
grant select, insert, update on iterations to plumbline_app;

-- Its turn of a loop is over: nobody needs to read it to carry the run on.
alter table steps add column closed boolean not null default false;
-- Serves carrying on a run with loops: only turns that are under way are read, however many are done.
create index steps_open_turns on steps (company_id, run_id, iteration) where iteration <> '' and not closed;
-- What a person gave in place of what the mappings give.
alter table steps add column override jsonb;

-- What a step waits for that has handed something over; the answer comes from elsewhere.
create table waits (
  company_id uuid not null,
  run_id uuid not null,
  node_id text not null,
  iteration text not null,
  kind text not null,
  -- What answers it: an event's key, another run, a name.
  key text not null,
  -- For events: where in its data to look, and what must stand there.
  path text[],
  value text,
  config jsonb not null default '{}',
  since timestamptz not null default now(),
  answer jsonb,
  answered_at timestamptz,
  primary key (company_id, run_id, node_id, iteration),
  foreign key (company_id, run_id) references runs (company_id, id) on delete cascade
);
-- Serves "who waits for this".
create index waits_open on waits (company_id, kind, key) where answered_at is null;
call isolate_by_company('waits');
grant select, insert, update, delete on waits to plumbline_app;

-- Runs that something happened to while they waited. Written in the transaction in which it happened, removed once the carrier was told.
create table run_wakes (
  company_id uuid not null,
  run_id uuid not null,
  carrier_id text not null,
  number bigint generated always as identity,
  created_at timestamptz not null default now(),
  primary key (company_id, number),
  foreign key (company_id, run_id) references runs (company_id, id) on delete cascade
);
call isolate_by_company('run_wakes');
grant select, insert, delete on run_wakes to plumbline_app;
-- The dispatcher tells carriers; it sees whom to tell, and no data.
grant select (company_id, run_id, carrier_id, number, created_at) on run_wakes to plumbline_dispatcher;
create policy dispatcher on run_wakes for select to plumbline_dispatcher using (true);
create index run_wakes_oldest on run_wakes (created_at);
create function notify_wakes() returns trigger language plpgsql as $$
begin
  perform pg_notify('plumbline_events', company_id::text) from (select distinct company_id from arrived) companies;
  return null;
end $$;
create trigger run_wakes_arrived after insert on run_wakes referencing new table as arrived for each statement execute function notify_wakes();

-- Who a wait belongs to learns of its answer in the same transaction.
create function wake_answered_runs() returns trigger language plpgsql as $$
begin
  insert into run_wakes (company_id, run_id, carrier_id)
  select distinct runs.company_id, runs.id, runs.carrier_id
    from answered join before using (company_id, run_id, node_id, iteration)
    join runs on runs.company_id = answered.company_id and runs.id = answered.run_id
   where before.answered_at is null and answered.answered_at is not null and runs.finished_at is null;
  return null;
end $$;
create trigger waits_answered after update on waits referencing old table as before new table as answered
  for each statement execute function wake_answered_runs();

-- A run that another one called: the step that waits for it, and how deep the calls go.
alter table runs add column parent_run_id uuid;
alter table runs add column parent_node_id text;
alter table runs add column parent_iteration text;
alter table runs add column depth integer not null default 0;
-- What it hands back to whoever called it.
alter table runs add column result jsonb;
-- Given up, what it wrote is undone before it ends.
alter table runs add column compensate boolean not null default false;
alter table runs add foreign key (company_id, parent_run_id) references runs (company_id, id) on delete cascade;
-- Serves the call tree, and giving up what was called.
create index runs_by_parent on runs (company_id, parent_run_id) where parent_run_id is not null;

-- Whoever called a run learns of its end in the transaction that ends it.
create function answer_caller() returns trigger language plpgsql as $$
begin
  update waits set answer = jsonb_build_object('runId', new.id, 'status', new.status, 'result', new.result, 'error', new.error), answered_at = now()
   where company_id = new.company_id and run_id = new.parent_run_id and node_id = new.parent_node_id and iteration = new.parent_iteration
     and answered_at is null;
  return null;
end $$;
create trigger runs_answer_caller after update on runs for each row
  when (old.finished_at is null and new.finished_at is not null and new.parent_run_id is not null) execute function answer_caller();
