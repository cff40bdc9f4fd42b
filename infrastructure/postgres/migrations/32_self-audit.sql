-- What the self-audit remembers. A checkpoint holds a hash outside the log: a chain that was rewritten and hashed anew
-- from some event on does not agree with it any more. About all tenants, for corebook_core alone: no row-level security.
create table ledger.audit_checkpoints (
  tenant_id  uuid        primary key,
  revision   bigint      not null,
  hash       bytea       not null,
  checked_at timestamptz not null default now()
);
comment on table ledger.audit_checkpoints is 'Up to where the self-audit has checked each tenant''s chain.';

create table ledger.self_audit (
  only_row boolean primary key default true check (only_row),
  ok       boolean        not null,
  at       timestamptz(3) not null,
  detail   text           not null,
  suspects jsonb          not null
);
comment on table ledger.self_audit is 'The verdict of the last run of the self-audit.';

grant select, insert, update on ledger.audit_checkpoints, ledger.self_audit to corebook_core;
