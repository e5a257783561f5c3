create table integrations (
  id uuid not null default plumbline_uuid(),
  company_id uuid not null references companies (id) on delete cascade,
  type text not null,
  name text not null,
  environment text not null check (environment in ('sandbox', 'live')),
  config jsonb not null,
  account jsonb not null default '{}',
  scopes text[] not null default '{}',
  status text not null check (status in ('connected', 'degraded', 'needs_reconnect', 'paused', 'disconnected')),
  token_expires_at timestamptz,
  refresh_generation integer not null default 0,
  last_sync_at timestamptz,
  error_message text,
  created_by text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (company_id, id),
  unique (id)
);
create index integrations_by_type on integrations (company_id, type, status);
call isolate_by_company('integrations');
grant select, insert, update, delete on integrations to plumbline_app;

create table integration_logs (
  id uuid not null default plumbline_uuid(),
  company_id uuid not null,
  integration_id uuid not null,
  action text not null,
  direction text not null check (direction in ('import', 'export')),
  entity_type text not null,
  entity_count integer not null,
  status text not null check (status in ('succeeded', 'failed')),
  external_id text,
  run_id uuid,
  error_details jsonb,
  created_at timestamptz not null default now(),
  primary key (company_id, id),
  foreign key (company_id, integration_id) references integrations (company_id, id) on delete cascade
);
create index integration_logs_latest on integration_logs (company_id, integration_id, created_at desc);
call isolate_by_company('integration_logs');
grant select, insert on integration_logs to plumbline_app;

create table oauth_states (
  state_hash text primary key,
  company_id uuid not null references companies (id) on delete cascade,
  user_id text not null,
  connector text not null,
  integration_id uuid,
  environment text not null check (environment in ('sandbox', 'live')),
  verifier jsonb not null,
  return_to text not null,
  expires_at timestamptz not null,
  used_at timestamptz,
  created_at timestamptz not null default now(),
  foreign key (company_id, integration_id) references integrations (company_id, id) on delete cascade
);
call isolate_by_company('oauth_states');
grant select, insert, update (used_at), delete on oauth_states to plumbline_app;

create table webhooks (
  id uuid not null default plumbline_uuid(),
  company_id uuid not null references companies (id) on delete cascade,
  name text not null,
  url text not null,
  events text[] not null,
  secret jsonb not null,
  active boolean not null default true,
  last_triggered_at timestamptz,
  created_at timestamptz not null default now(),
  primary key (company_id, id)
);
call isolate_by_company('webhooks');
grant select, insert, update, delete on webhooks to plumbline_app;
