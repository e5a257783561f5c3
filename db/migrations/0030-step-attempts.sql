-- What the attempts came to that a step did not succeed with, and the one that followed them. Null for a step that succeeds at once, as nearly all do:
-- those pay nothing for it.
alter table steps add column attempts jsonb;
-- Serves "how many ran into the same thing", and the list by code: few runs fail, however many there are.
create index runs_failed on runs (company_id, flow_id, (error ->> 'code'), queued_at desc) where status = 'failed';
