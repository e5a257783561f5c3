create table notifications (
  id uuid not null default plumbline_uuid(),
  company_id uuid not null references companies (id) on delete cascade,
  key text not null,
  title text not null,
  body text not null,
  severity text not null check (severity in ('info', 'warning', 'error')),
  run_id uuid,
  read_at timestamptz,
  created_at timestamptz not null default now(),
  primary key (company_id, id),
  unique (company_id, key)
);
create index notifications_latest on notifications (company_id, created_at desc);
call isolate_by_company('notifications');
grant select, insert, update (read_at) on notifications to plumbline_app;

create table audit_log (
  company_id uuid not null references companies (id) on delete cascade,
  number bigint not null,
  actor text not null,
  action text not null,
  target_type text not null,
  target_id text not null,
  details jsonb not null,
  at timestamptz not null,
  previous_hash text not null,
  hash text not null,
  primary key (company_id, number)
);
call isolate_by_company('audit_log');
grant select, insert on audit_log to plumbline_app;

-- Not even the owner rewrites history by accident.
create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'The audit log is append-only' using errcode = 'insufficient_privilege';
end $$;
create trigger audit_log_append_only before update or delete on audit_log for each row execute function refuse_change();
create trigger audit_log_no_truncate before truncate on audit_log for each statement execute function refuse_change();

create function audit_hash(previous text, company uuid, number bigint, actor text, action text, target_type text, target_id text, details jsonb, at timestamptz)
returns text language sql immutable as $$
  select encode(sha256(convert_to(jsonb_build_array(previous, company, number, actor, action, target_type, target_id, details, extract(epoch from at)::text)::text, 'UTF8')), 'hex')
$$;

-- Appends to the chain of the current company. The lock makes numbers gapless.
create function append_audit(p_actor text, p_action text, p_target_type text, p_target_id text, p_details jsonb) returns bigint language plpgsql as $$
declare
  company uuid := current_company();
  last record;
  next_number bigint;
  moment timestamptz := clock_timestamp();
  prior text;
begin
  if company is null then raise exception 'No company is set'; end if;
  perform pg_advisory_xact_lock(hashtextextended('audit:' || company::text, 0));
  select number, hash into last from audit_log where company_id = company order by number desc limit 1;
  next_number := coalesce(last.number, 0) + 1;
  prior := coalesce(last.hash, '');
  insert into audit_log (company_id, number, actor, action, target_type, target_id, details, at, previous_hash, hash)
  values (company, next_number, p_actor, p_action, p_target_type, p_target_id, p_details, moment, prior,
          audit_hash(prior, company, next_number, p_actor, p_action, p_target_type, p_target_id, p_details, moment));
  return next_number;
end $$;

-- Number of the first entry that does not fit the chain; null when all do.
create function verify_audit_chain() returns bigint language sql stable as $$
  select number from (
    select number, previous_hash, hash,
           lag(hash, 1, '') over (order by number) as expected_previous,
           audit_hash(previous_hash, company_id, number, actor, action, target_type, target_id, details, at) as expected_hash,
           row_number() over (order by number) as expected_number
      from audit_log where company_id = current_company()
  ) chain
  where previous_hash <> expected_previous or hash <> expected_hash or number <> expected_number
  order by number limit 1
$$;

-- Stands in for the outside world, so it belongs to no company.
create table sandbox_states (
  connector text primary key,
  state jsonb not null,
  updated_at timestamptz not null default now()
);
grant select, insert, update, delete on sandbox_states to plumbline_app;
