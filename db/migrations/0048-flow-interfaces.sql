-- What a version takes from flows that call it, and hands back to them. Null in versions from before, whose interface is worked out from their drawing.
alter table flow_versions add column interface jsonb;
