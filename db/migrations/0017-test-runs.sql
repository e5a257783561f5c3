-- A run that tries a drawing out: the drawing, what was pinned, and in which turns of loops it stands. Null for runs that count.
alter table runs add column test jsonb;
create index runs_tests on runs (company_id, flow_id, queued_at desc) where test is not null;

-- Not carried out: what it handed on is pinned, or made up.
alter table steps add column simulated boolean not null default false;

-- What a step hands on while its drawing is tried out. Never used by runs that count.
create table flow_pins (
  company_id uuid not null,
  flow_id uuid not null,
  node_id text not null,
  port text not null default 'out',
  output jsonb not null,
  pinned_by text,
  pinned_at timestamptz not null default now(),
  primary key (company_id, flow_id, node_id),
  foreign key (company_id, flow_id) references flows (company_id, id) on delete cascade
);
call isolate_by_company('flow_pins');
grant select, insert, update, delete on flow_pins to plumbline_app;
