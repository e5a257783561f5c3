-- As in 0052, but a run that somebody gave up, so that what it wrote is undone, does not end before that is done: whoever carries it on may not know of it yet.
create or replace function write_ledger(given jsonb) returns jsonb language plpgsql set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
  company constant uuid := current_company();
  begun constant uuid[] := array(select jsonb_array_elements_text(given -> 'begun')::uuid);
  runs_by_id constant jsonb := given -> 'runs';
  ended constant uuid[] := array(select jsonb_object_keys(runs_by_id)::uuid);
  open uuid[];
  claimed jsonb;
  undoes uuid[] := '{}';
begin
  if given ? 'ends' then
    insert into steps (company_id, run_id, node_id, iteration, status, attempt, port, input, output, error, next_attempt_at, suspended, simulated,
                       started_at, finished_at, attempts)
    select company, e.run_id, e.node_id, e.iteration, e.status, e.attempt, e.port, e.input, e.output, e.error, e.next_attempt_at, e.suspended, e.simulated,
           e.started_at, e.finished_at, e.attempts
      from jsonb_to_recordset(given -> 'ends') as e (
        run_id uuid, node_id text, iteration text, status text, attempt integer, port text, input jsonb, output jsonb, error jsonb,
        next_attempt_at timestamptz, suspended boolean, simulated boolean, started_at timestamptz, finished_at timestamptz, attempts jsonb)
    on conflict (company_id, run_id, node_id, iteration) do update set
      status = excluded.status, port = excluded.port, attempt = excluded.attempt,
      input = coalesce(excluded.input, steps.input), output = coalesce(excluded.output, steps.output), error = excluded.error,
      next_attempt_at = excluded.next_attempt_at, suspended = excluded.suspended, simulated = excluded.simulated, finished_at = excluded.finished_at,
      -- The row begins with its first attempt; what is given here is when this one began.
      attempts = case
        when excluded.attempts is not null then coalesce(steps.attempts, '[]') || excluded.attempts
        when steps.attempts is not null and excluded.status = 'succeeded' then steps.attempts || jsonb_build_object(
          'attempt', excluded.attempt, 'startedAt', excluded.started_at, 'endedAt', excluded.finished_at)
        else steps.attempts end
     -- Two workers may be at it for a moment; the first success stands. What was given up with the loop or the scope around it waits for nothing any more,
     -- whatever whoever was slow to notice says; only that it went through is worth knowing, for it may be undone.
     where steps.status <> 'succeeded' and not (steps.status = 'failed' and steps.closed and excluded.status <> 'succeeded');
  end if;

  if given ? 'settles' then
    insert into effects (company_id, key, run_id, node_id, iteration, state, result)
    select company, s.key, s.run_id, s.node_id, s.iteration, s.state, s.result
      from jsonb_to_recordset(given -> 'settles') as s (key text, run_id uuid, node_id text, iteration text, state text, result jsonb)
    on conflict (company_id, key) do update set
      state = excluded.state, result = coalesce(excluded.result, effects.result), updated_at = now();
  end if;

  if given ? 'turns' then
    insert into iterations (company_id, run_id, node_id, parent, index, status, value, error, finished_at)
    select company, t.run_id, t.node_id, t.parent, t.index, t.status, t.value, t.error, t.finished_at
      from jsonb_to_recordset(given -> 'turns') as t (
        run_id uuid, node_id text, parent text, index integer, status text, value jsonb, error jsonb, finished_at timestamptz)
    on conflict (company_id, run_id, node_id, parent, index) do update set
      status = excluded.status, value = excluded.value, error = excluded.error, finished_at = excluded.finished_at;
    -- Nobody reads the steps of a turn again once it is over. Served by `steps_open_turns`.
    update steps set closed = true
      from jsonb_to_recordset(given -> 'turns') as t (run_id uuid, iteration text, nodes text[])
     where steps.company_id = company and steps.run_id = t.run_id and steps.iteration = t.iteration
       and steps.iteration <> '' and not steps.closed and steps.node_id = any(t.nodes);
  end if;

  if given ? 'begun' then
    select array_agg(id) into open from runs where company_id = company and id = any(begun) and finished_at is null;
  end if;

  if given ? 'begins' then
    insert into steps (company_id, run_id, node_id, iteration, status, attempt, started_at)
    select company, b.run_id, b.node_id, b.iteration, 'running', b.attempt, b.started_at
      from jsonb_to_recordset(given -> 'begins') as b (run_id uuid, node_id text, iteration text, attempt integer, started_at timestamptz)
     where b.run_id = any(open)
    -- What came to its end while two carried the run on stays ended: whoever comes late finds its effect done, or nobody would end it again.
    on conflict (company_id, run_id, node_id, iteration) do update set
      status = case when steps.finished_at is null then 'running' else steps.status end,
      attempt = case when steps.finished_at is null then excluded.attempt else steps.attempt end, next_attempt_at = null;
  end if;

  if given ? 'claims' then
    with intents as (
      insert into effects (company_id, key, run_id, node_id, iteration, state)
      select company, c.key, c.run_id, c.node_id, c.iteration, 'intent'
        from jsonb_to_recordset(given -> 'claims') as c (key text, run_id uuid, node_id text, iteration text)
       where c.run_id = any(open)
      on conflict (company_id, key) do nothing
      returning key)
    select jsonb_agg(key) into claimed from intents;
  end if;

  if given ? 'skipped' then
    insert into steps (company_id, run_id, node_id, iteration, status, attempt, started_at, finished_at)
    select company, s.run_id, s.node_id, '', 'skipped', 0, s.at, s.at
      from jsonb_to_recordset(given -> 'skipped') as s (run_id uuid, node_id text, at timestamptz)
    on conflict do nothing;
  end if;

  if given ? 'runs' then
    update runs set
      status = runs_by_id -> id::text ->> 'status', error = runs_by_id -> id::text -> 'error',
      finished_at = (runs_by_id -> id::text ->> 'finished_at')::timestamptz,
      lease = nullif(lease, (runs_by_id -> id::text ->> 'lease')::uuid)
     where company_id = company and id = any(ended) and finished_at is null
       and not (compensate and runs_by_id -> id::text ->> 'status' in ('failed', 'succeeded') and not runs_by_id -> id::text ? 'undone');
    if jsonb_path_exists(runs_by_id, '$.* ? (@.status == "failed" || @.status == "succeeded")') then
      -- What did not end is free for whoever undoes it.
      with left_open as (
        update runs set lease = nullif(lease, (runs_by_id -> id::text ->> 'lease')::uuid)
         where company_id = company and id = any(ended) and finished_at is null and runs_by_id -> id::text ->> 'status' in ('failed', 'succeeded')
        returning id)
      select coalesce(array_agg(id), '{}') into undoes from left_open;
    end if;
    if jsonb_path_exists(runs_by_id, '$.* ? (@.status == "failed" || @.status == "cancelled")') then
      update steps set status = 'failed', finished_at = (runs_by_id -> run_id::text ->> 'finished_at')::timestamptz, next_attempt_at = null
       where company_id = company and run_id = any(ended) and runs_by_id -> run_id::text ->> 'status' in ('failed', 'cancelled')
         and status in ('running', 'waiting', 'parked') and not run_id = any(undoes);
      -- Nothing waits for an event in its name any more, and the next one of that key need not be looked into.
      delete from waits
       where company_id = company and run_id = any(ended) and runs_by_id -> run_id::text ->> 'status' in ('failed', 'cancelled')
         and kind = 'event' and answered_at is null and not run_id = any(undoes);
    end if;
  end if;

  return jsonb_build_object('open', open, 'claimed', claimed, 'undoes', undoes);
end $$;
