-- A secret that was replaced goes on working for a day, so that the sender can be told in the meantime.
alter table subscriptions add column previous_secret jsonb;
alter table subscriptions add column previous_secret_until timestamptz;

-- Deliveries that were refused leave nothing but this count, and why the last one was.
alter table subscriptions add column refused integer not null default 0;
alter table subscriptions add column refused_at timestamptz;
alter table subscriptions add column refused_code text;
