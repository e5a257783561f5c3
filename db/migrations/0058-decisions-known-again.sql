-- The decision that was made last about a step, by its id: asked for once more, by whoever does not know that it was recorded, it is still made.
alter table steps add column decision uuid;
