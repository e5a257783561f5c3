-- How many requests a connection has used of each of its vendor's windows. Shared by all workers.
create table rate_budgets (
  company_id uuid not null,
  integration_id uuid not null,
  per_seconds integer not null,
  window_at timestamptz not null,
  used integer not null,
  primary key (company_id, integration_id, per_seconds),
  foreign key (company_id, integration_id) references integrations (company_id, id) on delete cascade
);
call isolate_by_company('rate_budgets');
grant select, insert, update on rate_budgets to plumbline_app;
