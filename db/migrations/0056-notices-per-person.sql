-- Who has seen which notice, and since when what a notice tells of is over. `read_at`, one mark for the whole company, is left to processes of the version
-- before; what it marked counts as over.
alter table notifications add column over_at timestamptz;
update notifications set over_at = read_at where read_at is not null;
grant update (over_at) on notifications to plumbline_app;

create table notification_reads (
  company_id uuid not null,
  notification_id uuid not null,
  user_id uuid not null,
  -- When what they saw was told; a notice that was told anew since then is new to them.
  told_at timestamptz not null,
  primary key (company_id, notification_id, user_id),
  foreign key (company_id, notification_id) references notifications (company_id, id) on delete cascade
);
call isolate_by_company('notification_reads');
grant select, insert, update (told_at) on notification_reads to plumbline_app;

-- Once for everything a person has seen at once, so that their other windows know.
create function notify_live_reads() returns trigger language plpgsql as $$
begin
  perform pg_notify('plumbline_live', json_build_object('companyId', company_id, 'topic', 'notification', 'id', min(notification_id::text))::text)
    from changed where is_watched(company_id) group by company_id;
  return null;
end $$;
create trigger notification_reads_live_insert after insert on notification_reads referencing new table as changed for each statement execute function notify_live_reads();
create trigger notification_reads_live_update after update on notification_reads referencing new table as changed for each statement execute function notify_live_reads();

-- A question that is answered, has expired or is withdrawn is news to nobody any more, whichever way it ended.
create index notifications_of_question on notifications (company_id, approval_id) where approval_id is not null and over_at is null;
create function close_notices_of_question() returns trigger language plpgsql as $$
begin
  update notifications set over_at = new.closed_at where company_id = new.company_id and approval_id = new.id and over_at is null;
  return null;
end $$;
create trigger approvals_over after update of status on approvals for each row
  when (old.status = 'open' and new.status <> 'open') execute function close_notices_of_question();
