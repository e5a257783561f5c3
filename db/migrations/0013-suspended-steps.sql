-- A step that has done its part and waits for its time or for someone; when the time comes it goes on instead of being tried again.
alter table steps add column suspended boolean not null default false;
