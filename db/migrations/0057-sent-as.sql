-- An effect that another run sent, of which nobody knows whether it went through: the key under which the vendor knows it, and what was sent. The run that
-- repeats it looks for that before it sends anything, unless what it would send is something else.
alter table effects add column sent_as text, add column sent_input jsonb;
