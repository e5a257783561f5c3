-- What steps of many runs of one company have to say, written in one call. A function, because its plans are kept: planned anew with every batch, the
-- statements cost more than what they did.
--
-- `given` has a list for each kind of write, and only those that there are; no list names a row twice:
--   ends      attempts that are closed           settles  what became of effects
--   turns     turns of loops that are closed     begins   attempts that are opened, but only of runs that have not ended
--   claims    intents, but only where there is none, and of no run that has ended
--   asked     runs of which is to be said whether they are open
--   skipped   steps of runs that no taken edge led to
--   runs      where runs stand; one that has ended stays as it is
-- Gives the names of the attempts that were opened, the keys of the intents that are new, and those runs asked about that are open.
create function write_ledger(given jsonb) returns jsonb language plpgsql set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
  company constant uuid := current_company();
  begun jsonb;
  claimed jsonb;
  open jsonb;
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
     -- Two workers may be at it for a moment; the first success stands.
     where steps.status <> 'succeeded';
  end if;

  if given ? 'settles' then
    update effects set state = s.state, result = coalesce(s.result, effects.result), updated_at = now()
      from jsonb_to_recordset(given -> 'settles') as s (key text, state text, result jsonb)
     where effects.company_id = company and effects.key = s.key;
  end if;

  if given ? 'turns' then
    update iterations set status = t.status, value = t.value, error = t.error, finished_at = t.finished_at
      from jsonb_to_recordset(given -> 'turns') as t (
        run_id uuid, node_id text, parent text, index integer, status text, value jsonb, error jsonb, finished_at timestamptz)
     where iterations.company_id = company and iterations.run_id = t.run_id and iterations.node_id = t.node_id
       and iterations.parent = t.parent and iterations.index = t.index;
    -- Nobody reads the steps of a turn again once it is over. Served by `steps_open_turns`.
    update steps set closed = true
      from jsonb_to_recordset(given -> 'turns') as t (run_id uuid, iteration text, nodes text[])
     where steps.company_id = company and steps.run_id = t.run_id and steps.iteration = t.iteration
       and steps.iteration <> '' and not steps.closed and steps.node_id = any(t.nodes);
  end if;

  if given ? 'begins' then
    with opened as (
      insert into steps (company_id, run_id, node_id, iteration, status, attempt, started_at)
      select company, b.run_id, b.node_id, b.iteration, 'running', b.attempt, b.started_at
        from jsonb_to_recordset(given -> 'begins') as b (run_id uuid, node_id text, iteration text, attempt integer, started_at timestamptz)
        join runs on runs.company_id = company and runs.id = b.run_id and runs.finished_at is null
      -- What has succeeded stays so: whoever comes late to it finds its effect done.
      on conflict (company_id, run_id, node_id, iteration) do update set
        status = case steps.status when 'succeeded' then 'succeeded' else 'running' end,
        attempt = case steps.status when 'succeeded' then steps.attempt else excluded.attempt end,
        next_attempt_at = null,
        finished_at = case steps.status when 'succeeded' then steps.finished_at end
      returning run_id, node_id, iteration)
    select jsonb_agg(jsonb_build_object('runId', run_id, 'nodeId', node_id, 'iteration', iteration)) into begun from opened;
  end if;

  if given ? 'claims' then
    with intents as (
      insert into effects (company_id, key, run_id, node_id, iteration, state)
      select company, c.key, c.run_id, c.node_id, c.iteration, 'intent'
        from jsonb_to_recordset(given -> 'claims') as c (key text, run_id uuid, node_id text, iteration text)
        join runs on runs.company_id = company and runs.id = c.run_id and runs.finished_at is null
      on conflict (company_id, key) do nothing
      returning key)
    select jsonb_agg(key) into claimed from intents;
  end if;

  if given ? 'asked' then
    select jsonb_agg(runs.id) into open
      from jsonb_to_recordset(given -> 'asked') as a (run_id uuid)
      join runs on runs.company_id = company and runs.id = a.run_id and runs.finished_at is null;
  end if;

  if given ? 'skipped' then
    insert into steps (company_id, run_id, node_id, iteration, status, attempt, started_at, finished_at)
    select company, s.run_id, s.node_id, '', 'skipped', 0, s.at, s.at
      from jsonb_to_recordset(given -> 'skipped') as s (run_id uuid, node_id text, at timestamptz)
    on conflict do nothing;
  end if;

  if given ? 'runs' then
    if jsonb_path_exists(given, '$.runs[*] ? (@.status == "failed" || @.status == "cancelled")') then
      update steps set status = 'failed', finished_at = r.finished_at, next_attempt_at = null
        from jsonb_to_recordset(given -> 'runs') as r (id uuid, status text, finished_at timestamptz)
       where r.status in ('failed', 'cancelled') and steps.company_id = company and steps.run_id = r.id
         and steps.status in ('running', 'waiting', 'parked');
    end if;
    update runs set status = r.status, error = r.error, finished_at = r.finished_at
      from jsonb_to_recordset(given -> 'runs') as r (id uuid, status text, error jsonb, finished_at timestamptz)
     where runs.company_id = company and runs.id = r.id and runs.finished_at is null;
  end if;

  return jsonb_build_object('begun', begun, 'claimed', claimed, 'open', open);
end $$;
