-- Who of the company may be asked. The schema of people stays closed to the app; it learns names, addresses and roles of its own company only.
create function company_people() returns table (id uuid, name text, email text, role text)
language sql stable security definer set search_path = pg_catalog as $$
  select users.id, users.name, lower(users.email), members.role
    from auth.members join auth.users on users.id = members."userId"
   where members."organizationId" = public.current_company()
$$;
revoke all on function company_people() from public;
grant execute on function company_people() to plumbline_app;

-- One question that a step puts to people. Amounts are decimal text: nothing is ever rounded.
create table approvals (
  id uuid not null default plumbline_uuid(),
  company_id uuid not null references companies (id) on delete cascade,
  run_id uuid not null,
  node_id text not null,
  iteration text not null,
  title text not null,
  body text not null default '',
  -- [{ label, value }], as they are shown.
  facts jsonb not null default '[]',
  record_entity text,
  record_id text,
  amount text,
  -- Fields that whoever decides fills in.
  form jsonb not null default '[]',
  -- Ways out beside approved and rejected: [{ id, title }].
  outcomes jsonb not null default '[]',
  -- How often to remind, when and to whom to turn next, when a comment must be given.
  settings jsonb not null default '{}',
  status text not null default 'open' check (status in ('open', 'decided', 'expired', 'withdrawn')),
  outcome text,
  -- The stage that is asked now, from 1.
  stage integer not null default 0,
  remind_at timestamptz,
  escalate_at timestamptz,
  expires_at timestamptz,
  -- When somebody has to look at it again.
  next_at timestamptz generated always as (least(remind_at, escalate_at, expires_at)) stored,
  opened_at timestamptz not null,
  closed_at timestamptz,
  primary key (company_id, id),
  foreign key (company_id, run_id) references runs (company_id, id) on delete cascade
);
-- A step asks one question at a time.
create unique index approvals_open_step on approvals (company_id, run_id, node_id, iteration) where status = 'open';
create index approvals_by_run on approvals (company_id, run_id);
-- Serves "whose time has come", whatever the number of approvals.
create index approvals_due on approvals (next_at) where status = 'open';
create index approvals_latest on approvals (company_id, status, opened_at desc);
call isolate_by_company('approvals');
grant select, insert, update on approvals to plumbline_app;
-- The dispatcher sees that something is due, and nothing of what is asked.
grant select (company_id, id, status, next_at) on approvals to plumbline_dispatcher;
create policy dispatcher on approvals for select to plumbline_dispatcher using (true);

-- Stages follow each other: one begins when the one before it has approved.
create table approval_stages (
  company_id uuid not null,
  approval_id uuid not null,
  number integer not null,
  title text not null default '',
  -- From this amount on it is asked.
  from_amount text not null,
  -- So many must approve.
  need integer not null check (need >= 1),
  status text not null default 'ahead' check (status in ('ahead', 'open', 'approved', 'ended')),
  began_at timestamptz,
  ended_at timestamptz,
  primary key (company_id, approval_id, number),
  foreign key (company_id, approval_id) references approvals (company_id, id) on delete cascade
);
call isolate_by_company('approval_stages');
grant select, insert, update on approval_stages to plumbline_app;

-- Who is asked in a stage. Without a user it is somebody outside of the company, who decides by a link.
create table approval_seats (
  id uuid not null default plumbline_uuid(),
  company_id uuid not null,
  approval_id uuid not null,
  stage integer not null,
  user_id uuid,
  email text not null,
  name text not null,
  status text not null default 'ahead' check (status in ('ahead', 'open', 'decided', 'delegated', 'closed')),
  -- How they came to be asked, and by whom they were handed it.
  way text not null default 'asked' check (way in ('asked', 'escalated', 'delegated')),
  handed_by text,
  -- The order in which they are named.
  number bigint generated always as identity,
  primary key (company_id, id),
  foreign key (company_id, approval_id) references approvals (company_id, id) on delete cascade
);
create index approval_seats_by_approval on approval_seats (company_id, approval_id, stage);
-- Serves "what waits for me".
create index approval_seats_by_user on approval_seats (company_id, user_id) where status = 'open';
call isolate_by_company('approval_seats');
grant select, insert, update on approval_seats to plumbline_app;

-- What was decided, once for each who was asked. Nothing rewrites it.
create table approval_decisions (
  id uuid not null default plumbline_uuid(),
  company_id uuid not null,
  approval_id uuid not null,
  stage integer not null,
  seat_id uuid not null,
  outcome text not null,
  comment text not null default '',
  filled jsonb not null default '{}',
  decided_by text not null,
  email text not null,
  -- An admin decided in place of this person.
  instead_of text,
  way text not null check (way in ('studio', 'link')),
  at timestamptz not null,
  -- The order in which they were made: clocks may stand still.
  number bigint generated always as identity,
  primary key (company_id, id),
  unique (company_id, seat_id),
  foreign key (company_id, approval_id) references approvals (company_id, id) on delete cascade,
  foreign key (company_id, seat_id) references approval_seats (company_id, id) on delete cascade
);
create index approval_decisions_by_approval on approval_decisions (company_id, approval_id, number);
call isolate_by_company('approval_decisions');
grant select, insert on approval_decisions to plumbline_app;

-- Links for people without an account. The token itself is nowhere: only its SHA-256.
create table approval_links (
  company_id uuid not null,
  token_hash bytea not null,
  approval_id uuid not null,
  seat_id uuid not null,
  made_by text not null,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  used_at timestamptz,
  revoked_at timestamptz,
  primary key (company_id, token_hash),
  foreign key (company_id, approval_id) references approvals (company_id, id) on delete cascade,
  foreign key (company_id, seat_id) references approval_seats (company_id, id) on delete cascade
);
create unique index approval_links_by_token on approval_links (token_hash);
create index approval_links_by_seat on approval_links (company_id, seat_id);
call isolate_by_company('approval_links');
grant select, insert, update (used_at, revoked_at) on approval_links to plumbline_app;
-- Whoever opens a link names no company: where it leads is looked up across all of them.
grant select (company_id, token_hash, approval_id, seat_id) on approval_links to plumbline_dispatcher;
create policy dispatcher on approval_links for select to plumbline_dispatcher using (true);

-- A run that ended has nobody to ask any more, whatever ended it.
create function withdraw_approvals() returns trigger language plpgsql as $$
begin
  update approvals set status = 'withdrawn', closed_at = changed.finished_at
    from changed join before using (company_id, id)
   where before.finished_at is null and changed.finished_at is not null
     and approvals.company_id = changed.company_id and approvals.run_id = changed.id and approvals.status = 'open';
  return null;
end $$;
create trigger runs_withdraw_approvals after update on runs referencing new table as changed old table as before
  for each statement execute function withdraw_approvals();

create function notify_live_tasks() returns trigger language plpgsql as $$
begin
  if is_watched(new.company_id) then
    perform pg_notify('plumbline_live', json_build_object('companyId', new.company_id, 'topic', 'task', 'id', new.id, 'status', new.status)::text);
  end if;
  return null;
end $$;
create trigger approvals_live after insert or update on approvals for each row execute function notify_live_tasks();
