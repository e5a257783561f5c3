-- These tables grow by runs, and while they do, statistics and visibility were gathered anew at every look of autovacuum: on a busy system a third of what the
-- database did. What half as many rows more are planned like does not change, and until the first look every row is found by its key.
do $$
declare
  grown text;
begin
  foreach grown in array array['events', 'runs', 'steps', 'effects', 'iterations', 'run_references'] loop
    execute format('alter table %I set (autovacuum_analyze_scale_factor = 0.5, autovacuum_vacuum_insert_scale_factor = 1)', grown);
  end loop;
end $$;
