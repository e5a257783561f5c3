-- A vendor counts over any stretch of time, not from full minute to full minute: what was sent just before a window's end counts in the next one too.
-- So each window is cut into twenty slots, and those that any stretch of its length may touch, twenty-one, together hold no more than it allows.
alter table rate_budgets
  -- The last slot anything was taken in, counted from 1970, and how many were taken in it and in the twenty before it, the last one first.
  add column slot bigint not null default 0,
  add column slots integer[] not null default array_fill(0, array[21]);

-- Takes one from each window of a connection: 0, or how many milliseconds to wait. `windows` are { per_seconds, requests, window_at }.
-- Nobody takes what is kept for those before it: as many as were told to come now, and of long windows a tenth until four fifths of the time are over.
-- Nobody takes the fifth that those behind it have, while any of them wait; of windows too small for a fifth it is one in every so many.
create or replace function take_rate(integration uuid, asker integer, windows jsonb, at timestamptz) returns integer language plpgsql as $$
declare
  opens_at timestamptz;
  -- So late may somebody come who was told to.
  grace constant interval := '5 seconds';
begin
  -- The clocks of two workers differ a little: who is behind takes from the slot of who is ahead. One that was set back goes on from there.
  insert into rate_budgets (company_id, integration_id, per_seconds, window_at, used, slot)
  select current_company(), integration, per_seconds, window_at, 0, floor(extract(epoch from at) * 20 / per_seconds)::bigint
    from jsonb_to_recordset(windows) as given (per_seconds integer, window_at timestamptz) order by per_seconds
  on conflict (company_id, integration_id, per_seconds) do update set
    used = case when rate_budgets.window_at = excluded.window_at then rate_budgets.used else 0 end, window_at = excluded.window_at,
    slot = case when excluded.slot between rate_budgets.slot - 21 and rate_budgets.slot then rate_budgets.slot else excluded.slot end,
    slots = (array_fill(0, array[least(greatest(excluded.slot - rate_budgets.slot, 0), 21)::integer]) || rate_budgets.slots)[1:21];
  insert into rate_lanes (company_id, integration_id, per_seconds, lane, window_at)
  select current_company(), integration, per_seconds, asker, window_at
    from jsonb_to_recordset(windows) as given (per_seconds integer, window_at timestamptz) order by per_seconds
  on conflict (company_id, integration_id, per_seconds, lane) do update set
    served = case when rate_lanes.window_at = excluded.window_at then rate_lanes.served else 0 end, window_at = excluded.window_at;

  select max(greatest(case
           when used >= requests or used + behind >= requests then ends_at
           when used + least(greatest(told, reserve), requests - share) + behind < requests or had < share then null
           when told > reserve then least(ends_at, at + grace)
           else released_at
         end, rolls_at)) into opens_at
    from (
      select given.requests, budget.used, kept.*, lanes.*, rolling.*,
             case when lanes.behind_waits then greatest(kept.share - lanes.behind_had, 0) else 0 end as behind
        from jsonb_to_recordset(windows) as given (per_seconds integer, requests integer, window_at timestamptz)
        join rate_budgets budget on budget.company_id = current_company() and budget.integration_id = integration
             and budget.per_seconds = given.per_seconds
       cross join lateral (
         select given.window_at + make_interval(secs => given.per_seconds) as ends_at,
                given.window_at + make_interval(secs => given.per_seconds * 0.8) as released_at,
                case when asker > 0 and given.per_seconds >= 10 and at < given.window_at + make_interval(secs => given.per_seconds * 0.8)
                     then given.requests / 10 else 0 end as reserve,
                case when given.requests >= 5 then given.requests / 5
                     when (extract(epoch from given.window_at)::bigint / given.per_seconds) % ceil(5.0 / given.requests)::bigint = 0 then 1
                     else 0 end as share) kept
       cross join lateral (
         select coalesce(sum(waiting) filter (where lane < asker and due_at <= at and due_at > at - grace), 0) as told,
                coalesce(bool_or(waiting > 0 and due_at > at - grace) filter (where lane > asker), false) as behind_waits,
                coalesce(sum(served) filter (where lane > asker and rate_lanes.window_at = given.window_at), 0) as behind_had,
                coalesce(sum(served) filter (where lane >= asker and rate_lanes.window_at = given.window_at), 0) as had
           from rate_lanes
          where company_id = current_company() and integration_id = integration and per_seconds = given.per_seconds) lanes
       -- Until enough of the slots that are full are too old to count: one for whom somebody waits; for the others a tenth, or they would all come for each.
       cross join lateral (
         select case when (select sum(n) from unnest(budget.slots) n) >= given.requests then to_timestamp((budget.slot + (
                  select min(later) from generate_series(1, 21) later
                   where (select coalesce(sum(n), 0) from unnest(budget.slots[1:21 - later]) n)
                      <= given.requests - case when asker = 0 then 1 else greatest(given.requests / 10, 1) end
                )) * given.per_seconds / 20.0) end as rolls_at) rolling) windows_now;

  if opens_at is null then
    update rate_budgets set used = used + 1, slots[1] = slots[1] + 1
     where company_id = current_company() and integration_id = integration
       and per_seconds in (select (given ->> 'per_seconds')::integer from jsonb_array_elements(windows) given);
    update rate_lanes set served = served + 1, waiting = case when due_at <= at then greatest(waiting - 1, 0) else waiting end
     where company_id = current_company() and integration_id = integration and lane = asker;
    return 0;
  end if;
  update rate_lanes set waiting = case when due_at = opens_at then waiting + 1 else 1 end, due_at = opens_at
   where company_id = current_company() and integration_id = integration and lane = asker;
  return greatest(ceil(extract(epoch from opens_at - at) * 1000)::integer, 50);
end $$;
