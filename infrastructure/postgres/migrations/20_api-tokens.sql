-- Which secret opens which API token (architecture.md §6: beside the log, which says who issued and disabled it).
-- Only keyed hashes (HMAC-SHA-256) are stored; a deleted token keeps its row, without hashes, so that its id stays known.
create table ledger.api_tokens (
  tenant_id            uuid           not null,
  token_id             uuid           not null,
  name                 text           not null,
  prefix               text           not null,
  roles                text[]         not null,
  customer_id          uuid,
  ip_allow_list        text[]         not null default '{}',
  created_by           text           not null,
  created_at           timestamptz(3) not null,
  expires_at           timestamptz(3) not null,
  status               text           not null check (status in ('ACTIVE', 'DISABLED', 'DELETED')),
  hash                 bytea          check (octet_length(hash) = 32),
  previous_hash        bytea          check (octet_length(previous_hash) = 32),
  previous_grace_until timestamptz(3),
  rotation             uuid,
  last_used_at         timestamptz(3),
  constraint api_tokens_pkey primary key (tenant_id, token_id),
  constraint api_tokens_hash unique (hash),
  constraint api_tokens_hash_present check ((hash is null) = (status = 'DELETED'))
) with (fillfactor = 80);
comment on table ledger.api_tokens is 'Keyed hashes of API tokens and what each may do. Never the tokens themselves.';
create index api_tokens_previous_hash on ledger.api_tokens (previous_hash) where previous_hash is not null;

grant select, insert, update on ledger.api_tokens to corebook_core;
alter table ledger.api_tokens enable row level security;
alter table ledger.api_tokens force row level security;
-- The token is what tells the tenant, so it is looked up before any tenant is known: by the core role only.
create policy api_tokens_core on ledger.api_tokens to corebook_core using (true) with check (true);
