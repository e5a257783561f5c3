-- Every id, number and name that passed through a run, in lower case: what people have in hand when they look for it. Filled behind the runs, not by them.
create table run_references (
  company_id uuid not null,
  run_id uuid not null,
  -- Byte order, so that what begins with a word is a range of the index.
  value text collate "C" not null,
  -- When the run was queued.
  at timestamptz not null,
  primary key (company_id, run_id, value),
  foreign key (company_id, run_id) references runs (company_id, id) on delete cascade
);
create index run_references_by_value on run_references (company_id, value, at desc);
call isolate_by_company('run_references');
grant select, insert on run_references to plumbline_app;

-- How far a run's references are gathered: 0 not, 1 what started it, 2 and what its steps gave until it was parked, 3 all.
alter table runs add column referenced smallint not null default 0;
-- Serves the gathering: runs that are open or have just ended.
create index runs_unreferenced on runs (company_id, queued_at) where referenced < 3;
