-- A notice that was read comes back, with its new words, when the same thing happens again.
grant update (read_at, title, body, run_id, created_at) on notifications to plumbline_app;
create trigger notifications_live_update after update on notifications for each row execute function notify_live('notification');

create function notify_live_records() returns trigger language plpgsql as $$
begin
  perform pg_notify('plumbline_live', json_build_object('companyId', company_id, 'topic', 'record', 'id', record_id, 'entity', entity)::text) from changed;
  return null;
end $$;
create trigger records_live after insert on record_changes referencing new table as changed for each statement execute function notify_live_records();
