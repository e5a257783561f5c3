-- A company's tables that translate: cost code to account, tax code, class.
create table value_maps (
  id uuid not null default plumbline_uuid(),
  company_id uuid not null references companies (id) on delete cascade,
  name text not null,
  description text not null default '',
  -- The version that answers.
  version integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  -- What it was stays, so that a run of last year can be explained.
  removed_at timestamptz,
  primary key (company_id, id)
);
create unique index value_maps_by_name on value_maps (company_id, lower(name)) where removed_at is null;
call isolate_by_company('value_maps');
grant select, insert, update on value_maps to plumbline_app;

-- Written once and never again: the app may neither change nor delete one.
create table value_map_versions (
  company_id uuid not null,
  map_id uuid not null,
  number integer not null,
  -- [{ id, title, type, key }], in their order.
  columns jsonb not null,
  -- Whether capitals and spaces in keys do not matter.
  loose boolean not null,
  -- Values that stand for every key without a row; null where there are none.
  otherwise jsonb,
  row_count integer not null,
  added integer not null,
  changed integer not null,
  removed integer not null,
  note text,
  -- The version it went back to.
  restored integer,
  saved_by text not null,
  saved_at timestamptz not null,
  primary key (company_id, map_id, number),
  foreign key (company_id, map_id) references value_maps (company_id, id) on delete cascade
);
call isolate_by_company('value_map_versions');
grant select, insert on value_map_versions to plumbline_app;

-- A row belongs to the versions from `since` to before `until`, so a version costs what it changes and no more.
create table value_map_rows (
  company_id uuid not null,
  map_id uuid not null,
  -- The cells of the key columns as they are compared.
  key text not null,
  since integer not null,
  until integer,
  -- By column.
  cells jsonb not null,
  -- Serves a lookup as well: few versions of one key.
  primary key (company_id, map_id, key, since),
  foreign key (company_id, map_id, since) references value_map_versions (company_id, map_id, number) on delete cascade
);
-- One answer for a key. Serves what stands in the table now.
create unique index value_map_rows_now on value_map_rows (company_id, map_id, key) where until is null;
-- Serves "what did this version take away".
create index value_map_rows_gone on value_map_rows (company_id, map_id, until) where until is not null;
call isolate_by_company('value_map_rows');
grant select, insert, update (until) on value_map_rows to plumbline_app;
