-- Roles are cluster-wide and may exist already; their passwords are set by the migration runner.
do $$ begin
  if not exists (select from pg_roles where rolname = 'plumbline_app') then create role plumbline_app login nosuperuser nobypassrls nocreatedb nocreaterole; end if;
exception when duplicate_object or unique_violation then null; end $$;
do $$ begin
  if not exists (select from pg_roles where rolname = 'plumbline_dispatcher') then create role plumbline_dispatcher login nosuperuser nobypassrls nocreatedb nocreaterole; end if;
exception when duplicate_object or unique_violation then null; end $$;
do $$ begin
  if not exists (select from pg_roles where rolname = 'plumbline_auth') then create role plumbline_auth login nosuperuser nobypassrls nocreatedb nocreaterole; end if;
exception when duplicate_object or unique_violation then null; end $$;

revoke all on schema public from public;
grant usage on schema public to plumbline_app, plumbline_dispatcher;

-- Time-ordered ids where the server has them (PostgreSQL 18), random ones elsewhere.
do $$ begin
  if exists (select from pg_proc where proname = 'uuidv7') then
    execute 'create function plumbline_uuid() returns uuid language sql volatile as ''select uuidv7()''';
  else
    execute 'create function plumbline_uuid() returns uuid language sql volatile as ''select gen_random_uuid()''';
  end if;
end $$;

-- The company of the current transaction; null when none is set, an error when it is no uuid.
create function current_company() returns uuid language sql stable
  as $$ select nullif(current_setting('app.company_id', true), '')::uuid $$;

-- What every tenant table gets: one policy, forced on its owner too.
create procedure isolate_by_company(target regclass, company_column text default 'company_id') language plpgsql as $$
begin
  execute format('alter table %s enable row level security', target);
  execute format('alter table %s force row level security', target);
  execute format('create policy company on %s to plumbline_app using (%I = current_company()) with check (%I = current_company())', target, company_column, company_column);
end $$;

create table companies (
  id uuid primary key,
  name text not null,
  slug text not null unique,
  time_zone text not null default 'America/New_York',
  currency text not null default 'USD',
  created_at timestamptz not null default now()
);
call isolate_by_company('companies', 'id');
grant select, update (name, time_zone, currency) on companies to plumbline_app;

create table company_keys (
  company_id uuid not null references companies (id) on delete cascade,
  version integer not null,
  wrapped_key bytea not null,
  master_key_id text not null,
  created_at timestamptz not null default now(),
  primary key (company_id, version)
);
call isolate_by_company('company_keys');
grant select, insert, update (wrapped_key, master_key_id) on company_keys to plumbline_app;
