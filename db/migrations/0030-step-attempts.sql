-- What the attempts came to that a step did not succeed with, and the one that followed them. Null for a step that succeeds at once, as nearly all do:
-- those pay nothing for it.
alter table steps add column attempts jsonb;

-- A column and no expression in the index: under row security an index serves only what cannot leak, and `->>` is not trusted with that.
alter table runs add column error_code text generated always as (error ->> 'code') stored;
-- Serves "how many ran into the same thing", and the list by code: few runs fail, however many there are.
-- Not by status, which changes with every run: then no other change of a run would be a cheap one.
create index runs_failed on runs (company_id, error_code, queued_at desc) where error_code is not null;
