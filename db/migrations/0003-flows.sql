create table flows (
  id uuid not null default plumbline_uuid(),
  company_id uuid not null references companies (id) on delete cascade,
  name text not null check (length(name) between 1 and 200),
  description text not null default '',
  status text not null check (status in ('draft', 'on', 'off')),
  draft jsonb not null,
  draft_revision integer not null default 1,
  published_version integer,
  template_slug text,
  template_version integer,
  created_by text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (company_id, id)
);
create index flows_by_change on flows (company_id, updated_at desc);
call isolate_by_company('flows');
grant select, insert, update, delete on flows to plumbline_app;

-- Content-addressed: never updated.
create table plans (
  company_id uuid not null references companies (id) on delete cascade,
  hash text not null,
  plan jsonb not null,
  created_at timestamptz not null default now(),
  primary key (company_id, hash)
);
call isolate_by_company('plans');
grant select, insert on plans to plumbline_app;

-- Immutable: a version is what it was, for ever.
create table flow_versions (
  id uuid not null default plumbline_uuid(),
  company_id uuid not null,
  flow_id uuid not null,
  number integer not null check (number > 0),
  document jsonb not null,
  plan_hash text not null,
  note text,
  published_by text,
  published_at timestamptz not null default now(),
  primary key (company_id, id),
  unique (company_id, flow_id, number),
  foreign key (company_id, flow_id) references flows (company_id, id) on delete cascade,
  foreign key (company_id, plan_hash) references plans (company_id, hash)
);
call isolate_by_company('flow_versions');
grant select, insert on flow_versions to plumbline_app;

create table subscriptions (
  id uuid not null default plumbline_uuid(),
  company_id uuid not null,
  flow_id uuid not null,
  node_id text not null,
  kind text not null check (kind in ('webhook', 'record', 'schedule', 'manual', 'connector')),
  key text not null,
  config jsonb not null default '{}',
  filter text,
  secret jsonb,
  active boolean not null default true,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (company_id, id),
  unique (company_id, flow_id, node_id),
  foreign key (company_id, flow_id) references flows (company_id, id) on delete cascade
);
-- Serves the dispatcher: which flows listen to this event?
create index subscriptions_by_key on subscriptions (company_id, kind, key) where active;
-- Serves webhook ingress, which knows the public key only.
create unique index subscriptions_by_endpoint on subscriptions (key) where kind = 'webhook';
call isolate_by_company('subscriptions');
grant select, insert, update, delete on subscriptions to plumbline_app;
