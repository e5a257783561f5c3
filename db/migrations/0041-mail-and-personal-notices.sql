-- A notice for one person; null for everybody of the company.
alter table notifications add column user_id uuid;
-- Where it leads, when that is not a run.
alter table notifications add column approval_id uuid;

-- Mail that is to be sent. Written in the transaction of what it tells of; whoever sends it makes the link, so no token ever stands here.
create table mail_outbox (
  id uuid not null default plumbline_uuid(),
  company_id uuid not null references companies (id) on delete cascade,
  -- The same piece of news is written once.
  key text not null,
  to_email text not null,
  to_name text not null,
  subject text not null,
  body text not null,
  approval_id uuid,
  seat_id uuid,
  created_at timestamptz not null,
  sent_at timestamptz,
  primary key (company_id, id),
  unique (company_id, key)
);
create index mail_outbox_waiting on mail_outbox (company_id, created_at) where sent_at is null;
call isolate_by_company('mail_outbox');
grant select, insert, update (sent_at) on mail_outbox to plumbline_app;
