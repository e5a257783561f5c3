-- How far a mail has come: what did not get through is tried again, what nobody needs any more or nobody can take is dropped.
alter table mail_outbox
  add column attempts integer not null default 0,
  add column next_attempt_at timestamptz,
  -- Three days of trying count from here, not from when it was written: nothing may have sent mail then.
  add column first_attempt_at timestamptz,
  add column dropped_at timestamptz,
  -- Why it did not get through the last time, in the mail server's words.
  add column problem text;
update mail_outbox set next_attempt_at = created_at;
-- With a default, for processes of the version before, which know nothing of it.
alter table mail_outbox alter column next_attempt_at set default now(), alter column next_attempt_at set not null;
drop index mail_outbox_waiting;
create index mail_outbox_due on mail_outbox (next_attempt_at) where sent_at is null and dropped_at is null;
create index mail_outbox_by_approval on mail_outbox (company_id, approval_id, seat_id);
grant update (attempts, next_attempt_at, first_attempt_at, dropped_at, problem) on mail_outbox to plumbline_app;
-- The dispatcher sees that something is due, and nothing of what it says or to whom.
grant select (company_id, id, next_attempt_at, sent_at, dropped_at) on mail_outbox to plumbline_dispatcher;
create policy dispatcher on mail_outbox for select to plumbline_dispatcher using (true);
