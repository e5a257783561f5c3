create table events (
  id uuid not null default plumbline_uuid(),
  company_id uuid not null references companies (id) on delete cascade,
  seq bigint generated always as identity,
  kind text not null check (kind in ('webhook', 'record', 'schedule', 'manual', 'connector')),
  key text not null,
  dedupe_key text not null,
  subject_entity text,
  subject_id uuid,
  data jsonb not null,
  status text not null default 'pending' check (status in ('pending', 'dispatched', 'ignored')),
  reason text,
  received_at timestamptz not null default now(),
  dispatched_at timestamptz,
  next_attempt_at timestamptz not null default now(),
  attempts integer not null default 0,
  primary key (company_id, id),
  unique (company_id, key, dedupe_key)
);
-- Serves the dispatcher's claim: what is due, per company, in order of arrival.
create index events_pending on events (company_id, seq) where status = 'pending';
create index events_latest on events (company_id, key, seq desc);
create index events_by_subject on events (company_id, subject_id) where subject_id is not null;
call isolate_by_company('events');
grant select, insert, update on events to plumbline_app;

create table runs (
  id uuid not null default plumbline_uuid(),
  company_id uuid not null,
  flow_id uuid not null,
  flow_version integer not null,
  plan_hash text not null,
  event_id uuid,
  trigger_node_id text not null,
  carrier_id text not null,
  lane integer not null,
  status text not null check (status in ('queued', 'running', 'waiting', 'parked', 'succeeded', 'failed', 'cancelled')),
  error jsonb,
  queued_at timestamptz not null default now(),
  confirmed_at timestamptz,
  started_at timestamptz,
  finished_at timestamptz,
  primary key (company_id, id),
  -- One run per event and trigger, whoever dispatches it and however often.
  unique (company_id, event_id, flow_id, trigger_node_id),
  foreign key (company_id, flow_id) references flows (company_id, id) on delete cascade,
  foreign key (company_id, event_id) references events (company_id, id),
  foreign key (company_id, plan_hash) references plans (company_id, hash)
);
create index runs_latest on runs (company_id, queued_at desc);
create index runs_by_flow on runs (company_id, flow_id, queued_at desc);
-- Serves the sweep: what has Temporal not confirmed yet?
create index runs_unconfirmed on runs (queued_at) where confirmed_at is null and finished_at is null;
call isolate_by_company('runs');
grant select, insert, update on runs to plumbline_app;

create table steps (
  company_id uuid not null,
  run_id uuid not null,
  node_id text not null,
  iteration text not null default '',
  status text not null check (status in ('running', 'succeeded', 'failed', 'skipped', 'waiting', 'parked')),
  attempt integer not null,
  port text,
  input jsonb,
  output jsonb,
  error jsonb,
  next_attempt_at timestamptz,
  started_at timestamptz not null,
  finished_at timestamptz,
  primary key (company_id, run_id, node_id, iteration),
  foreign key (company_id, run_id) references runs (company_id, id) on delete cascade
);
call isolate_by_company('steps');
grant select, insert, update on steps to plumbline_app;

create table effects (
  company_id uuid not null,
  key text not null,
  run_id uuid not null,
  node_id text not null,
  iteration text not null,
  state text not null check (state in ('intent', 'sent', 'confirmed', 'refused', 'uncertain')),
  result jsonb,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (company_id, key),
  foreign key (company_id, run_id) references runs (company_id, id) on delete cascade
);
call isolate_by_company('effects');
grant select, insert, update on effects to plumbline_app;

create table blobs (
  company_id uuid not null references companies (id) on delete cascade,
  sha256 text not null,
  bytes bytea not null,
  created_at timestamptz not null default now(),
  primary key (company_id, sha256)
);
call isolate_by_company('blobs');
grant select, insert on blobs to plumbline_app;
