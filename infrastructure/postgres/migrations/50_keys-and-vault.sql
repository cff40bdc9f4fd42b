-- Keys and what is sealed with them (architecture.md §6: beside the log). Everything that is secret here is sealed under
-- the master key, which is not in the database.

-- One data key per person. Erasing a person takes the key away; the row stays, so that none is ever made again.
create table ledger.subject_keys (
  tenant_id    uuid           not null,
  subject_id   uuid           not null,
  wrapped      bytea,
  created_at   timestamptz(3) not null default now(),
  destroyed_at timestamptz(3),
  constraint subject_keys_pkey primary key (tenant_id, subject_id),
  constraint subject_keys_destroyed check ((wrapped is null) = (destroyed_at is not null))
);
comment on table ledger.subject_keys is 'Wrapped data keys of people; without its key what was sealed for a person is noise.';
grant select, insert, update (wrapped, destroyed_at) on ledger.subject_keys to corebook_core;
alter table ledger.subject_keys enable row level security;
alter table ledger.subject_keys force row level security;
create policy subject_keys_core on ledger.subject_keys to corebook_core using (true) with check (true);

-- Uploaded files, sealed for the person they are about; their names may tell who that is, so they are sealed too.
create table ledger.stored_files (
  tenant_id    uuid           not null,
  file_id      uuid           not null,
  owner_id     uuid           not null,
  kind         text           not null check (kind in ('PICTURE', 'DOCUMENT')),
  sealed_name  bytea          not null,
  content_type text           not null,
  size         integer        not null,
  created_at   timestamptz(3) not null,
  content      bytea          not null,
  constraint stored_files_pkey primary key (tenant_id, file_id)
);
comment on table ledger.stored_files is 'Pictures and documents of people, sealed with their keys.';
-- Ciphertext does not compress.
alter table ledger.stored_files alter column content set storage external;
create index stored_files_owner on ledger.stored_files (tenant_id, owner_id);
grant select, insert, delete on ledger.stored_files to corebook_core;
alter table ledger.stored_files enable row level security;
alter table ledger.stored_files force row level security;
create policy stored_files_core on ledger.stored_files to corebook_core using (true) with check (true);

-- Key pairs of tenants. PENDING: made, and not yet stated by the log.
create table ledger.tenant_keys (
  tenant_id      uuid           not null,
  kid            text           not null,
  use            text           not null,
  algorithm      text           not null,
  status         text           not null check (status in ('PENDING', 'ACTIVE', 'RETIRING', 'RETIRED')),
  created_at     timestamptz(3) not null,
  retires_at     timestamptz(3),
  public_spki    bytea          not null,
  sealed_private bytea,
  constraint tenant_keys_pkey primary key (tenant_id, kid),
  constraint tenant_keys_retires check (status <> 'RETIRING' or retires_at is not null)
);
comment on table ledger.tenant_keys is 'Key pairs of tenants; private halves are sealed under the master key.';
create unique index tenant_keys_active on ledger.tenant_keys (tenant_id, use, algorithm) where status = 'ACTIVE';
grant select, insert, update, delete on ledger.tenant_keys to corebook_core;
alter table ledger.tenant_keys enable row level security;
alter table ledger.tenant_keys force row level security;
create policy tenant_keys_core on ledger.tenant_keys to corebook_core using (true) with check (true);
-- What was used stays known, so that no key ever comes back.
create policy tenant_keys_stay on ledger.tenant_keys as restrictive for delete to corebook_core using (status = 'PENDING');

-- What may be used once and was: ids of encrypted secrets, until they are too old to be accepted anyway.
create table ledger.used_once (
  tenant_id  uuid           not null,
  id         bytea          not null check (octet_length(id) = 32),
  used_by    bytea          not null check (octet_length(used_by) = 32),
  expires_at timestamptz(3) not null,
  constraint used_once_pkey primary key (tenant_id, id)
);
comment on table ledger.used_once is 'Digests of ids that may not be used again.';
create index used_once_expires on ledger.used_once (expires_at);
grant select, insert, delete on ledger.used_once to corebook_core;
alter table ledger.used_once enable row level security;
alter table ledger.used_once force row level security;
create policy used_once_core on ledger.used_once to corebook_core using (true) with check (true);
