-- Who changed what since the live version, by item: `step:bill` → [{"name": …, "at": …}], newest first. Emptied into the version when it is published.
alter table flows add column draft_authors jsonb not null default '{}';
alter table flow_versions add column authors jsonb not null default '{}';
