-- How far each reactor has acted on the log. Outside the projections: no rebuild may make a reactor act twice.
-- A row is about all tenants: no row-level security, and nothing for corebook_api.
create table ledger.reactor_checkpoints (
  name       text        primary key,
  position   text        not null, -- opaque to all but the log
  updated_at timestamptz not null default now()
);
comment on table ledger.reactor_checkpoints is 'How far each reactor has acted on the log.';
grant select, insert, update on ledger.reactor_checkpoints to corebook_core;
