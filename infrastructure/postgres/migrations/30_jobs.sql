-- Where BullMQ keeps its jobs when there is no Redis. Its own migrations fill the schema, run by the owner when the
-- queues are opened (infrastructure/jobs). The state of record is never here.
create schema jobs;
comment on schema jobs is 'BullMQ queues. May be emptied: what is due is found in the log and enqueued again.';

-- BullMQ makes a sequence per queue when the first job comes, hence CREATE.
grant usage, create on schema jobs to corebook_core;
alter default privileges in schema jobs grant select, insert, update, delete on tables to corebook_core;
alter default privileges in schema jobs grant usage on sequences to corebook_core;
