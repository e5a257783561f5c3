create table records (
  id uuid not null default plumbline_uuid(),
  company_id uuid not null references companies (id) on delete cascade,
  entity text not null,
  data jsonb not null,
  -- Lower-case words people search by, written by the program.
  search text not null default '',
  version integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (company_id, id)
);
create index records_by_entity on records (company_id, entity, updated_at desc, id);
create index records_by_status on records (company_id, entity, (data ->> 'status'));
call isolate_by_company('records');
grant select, insert, update on records to plumbline_app;

create table record_changes (
  seq bigint generated always as identity,
  company_id uuid not null,
  record_id uuid not null,
  entity text not null,
  change text not null,
  version integer not null,
  before jsonb,
  after jsonb,
  actor text,
  at timestamptz not null default now(),
  primary key (company_id, seq),
  foreign key (company_id, record_id) references records (company_id, id) on delete cascade
);
create index record_changes_of on record_changes (company_id, record_id, seq desc);
call isolate_by_company('record_changes');
grant select, insert on record_changes to plumbline_app;

create table links (
  id uuid not null default plumbline_uuid(),
  company_id uuid not null,
  entity text not null,
  record_id uuid not null,
  integration_id uuid not null,
  remote_type text not null,
  remote_id text not null,
  remote_version text,
  base jsonb,
  state text not null check (state in ('proposed', 'linked', 'orphaned', 'ignored')),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (company_id, id),
  unique (company_id, integration_id, remote_type, remote_id),
  foreign key (company_id, record_id) references records (company_id, id) on delete cascade,
  foreign key (company_id, integration_id) references integrations (company_id, id) on delete cascade
);
create index links_of on links (company_id, record_id);
call isolate_by_company('links');
grant select, insert, update, delete on links to plumbline_app;
