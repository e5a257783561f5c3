-- What has come by before, per step of a flow.
create table seen_keys (
  company_id uuid not null,
  flow_id uuid not null,
  node_id text not null,
  key text not null,
  -- Whoever came first.
  run_id uuid not null,
  iteration text not null,
  until timestamptz not null,
  primary key (company_id, flow_id, node_id, key),
  foreign key (company_id, flow_id) references flows (company_id, id) on delete cascade
);
create index seen_keys_over on seen_keys (until);
call isolate_by_company('seen_keys');
grant select, insert, update, delete on seen_keys to plumbline_app;

-- How far the turns of a step are given away: so many in the window that begins then.
create table paces (
  company_id uuid not null,
  flow_id uuid not null,
  node_id text not null,
  key text not null,
  window_at timestamptz not null,
  used integer not null,
  primary key (company_id, flow_id, node_id, key),
  foreign key (company_id, flow_id) references flows (company_id, id) on delete cascade
);
call isolate_by_company('paces');
grant select, insert, update, delete on paces to plumbline_app;

-- Items that runs have put together; the first run goes on with all of them.
create table batches (
  id uuid not null default plumbline_uuid(),
  company_id uuid not null,
  flow_id uuid not null,
  node_id text not null,
  key text not null,
  run_id uuid not null,
  iteration text not null,
  opened_at timestamptz not null,
  closed_at timestamptz,
  primary key (company_id, id),
  foreign key (company_id, flow_id) references flows (company_id, id) on delete cascade
);
create unique index batches_open on batches (company_id, flow_id, node_id, key) where closed_at is null;
call isolate_by_company('batches');
grant select, insert, update on batches to plumbline_app;
create table batch_items (
  company_id uuid not null,
  batch_id uuid not null,
  number bigint generated always as identity,
  run_id uuid not null,
  node_id text not null,
  iteration text not null,
  item jsonb,
  primary key (company_id, run_id, node_id, iteration),
  foreign key (company_id, batch_id) references batches (company_id, id) on delete cascade
);
create index batch_items_of on batch_items (company_id, batch_id, number);
call isolate_by_company('batch_items');
grant select, insert on batch_items to plumbline_app;

-- Who holds a name, and who waits for it, in the order they came.
create table locks (
  company_id uuid not null,
  name text not null,
  number bigint generated always as identity,
  run_id uuid not null,
  node_id text not null,
  iteration text not null,
  held_at timestamptz,
  primary key (company_id, run_id, node_id, iteration),
  foreign key (company_id, run_id) references runs (company_id, id) on delete cascade
);
create index locks_in_line on locks (company_id, name, number);
call isolate_by_company('locks');
grant select, insert, update, delete on locks to plumbline_app;

-- Small things that flows remember for each other.
create table kept_values (
  company_id uuid not null references companies (id) on delete cascade,
  collection text not null,
  key text not null,
  value jsonb not null,
  -- The step that wrote it last, so that carrying it out again changes nothing.
  written_by text not null,
  version integer not null default 1,
  expires_at timestamptz,
  updated_at timestamptz not null default now(),
  primary key (company_id, collection, key)
);
call isolate_by_company('kept_values');
grant select, insert, update, delete on kept_values to plumbline_app;
