-- Every row of these two was checked against its run, and the run locked for it: a fifth of what the database did for a run. They are written only together
-- with, or by a join to, a run of the same company; and they go with it by the trigger below.
alter table steps drop constraint steps_company_id_run_id_fkey;
alter table effects drop constraint effects_company_id_run_id_fkey;

-- The key of an effect is made of its step's names, so no index has to lead from the run to it.
create function remove_ledger_of_removed_runs() returns trigger language plpgsql as $$
begin
  delete from effects using removed join steps on steps.company_id = removed.company_id and steps.run_id = removed.id
   where effects.company_id = removed.company_id
     and effects.key = rtrim(translate(encode(sha256(convert_to(
           concat_ws(E'\n', steps.company_id, steps.run_id, steps.node_id, steps.iteration), 'UTF8')), 'base64'), '+/', '-_'), '=');
  delete from steps using removed where steps.company_id = removed.company_id and steps.run_id = removed.id;
  return null;
end $$;
create trigger runs_removed_ledger after delete on runs referencing old table as removed for each statement execute function remove_ledger_of_removed_runs();

-- Asked once a statement and not once a row. Row security leaves only the company's own watchers.
create or replace function notify_live_runs() returns trigger language plpgsql as $$
begin
  if not exists (select from live_watchers where until > now()) then return null; end if;
  if tg_op = 'INSERT' then
    perform pg_notify('plumbline_live', json_build_object('companyId', company_id, 'topic', 'run', 'id', id, 'flowId', flow_id, 'status', status)::text)
      from changed where is_watched(company_id);
  else
    perform pg_notify('plumbline_live', json_build_object('companyId', changed.company_id, 'topic', 'run', 'id', changed.id, 'flowId', changed.flow_id, 'status', changed.status)::text)
      from changed join before using (company_id, id) where before.status is distinct from changed.status and is_watched(changed.company_id);
  end if;
  return null;
end $$;
create or replace function notify_live_steps() returns trigger language plpgsql as $$
begin
  if not exists (select from live_watchers where until > now()) then return null; end if;
  perform pg_notify('plumbline_live', json_build_object('companyId', company_id, 'topic', 'step', 'id', run_id, 'nodeId', node_id, 'status', status)::text)
    from changed where is_watched(company_id);
  return null;
end $$;

-- Rows of these change once or twice soon after they are written. With room beside them that touches no index.
alter table runs set (fillfactor = 60);
alter table steps set (fillfactor = 75);
alter table effects set (fillfactor = 60);
