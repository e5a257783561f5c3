-- Events that wait for a later time are nothing a dispatcher is awake for: what comes after them is told of all the same.
create or replace function notify_event() returns trigger language plpgsql as $$
begin
  perform pg_notify('plumbline_events', arrived.company_id::text)
    from (select company_id, min(seq) as first from changed where status = 'pending' group by company_id) arrived
   where not exists (
     select from events waiting
      where waiting.company_id = arrived.company_id and waiting.status = 'pending' and waiting.seq < arrived.first
        and waiting.next_attempt_at <= now());
  return null;
end $$;
