-- How people get in (architecture.md §6: beside the log, which says that it happened): passwords and PINs as Argon2id
-- hashes, e-mail addresses, refresh tokens, one-time passwords and step-up tokens as keyed digests only.
-- A log-in is what tells the user, so these tables are looked up by the core role only; it names the tenant in every
-- statement. Short-lived rows are purged by a job.

create table ledger.credentials (
  tenant_id        uuid           not null,
  user_id          uuid           not null,
  user_kind        text           not null check (user_kind in ('customer', 'employee')),
  email_digest     bytea          not null check (octet_length(email_digest) = 32),
  status           text           not null check (status in ('PENDING', 'ACTIVE', 'INACTIVE')),
  roles            text[]         not null,
  agent_id         uuid,
  password_hash    text,
  password_set_at  timestamptz(3),
  password_history text[]         not null default '{}' check (cardinality(password_history) <= 24),
  created_at       timestamptz(3) not null,
  constraint credentials_pkey primary key (tenant_id, user_id),
  constraint credentials_email unique (tenant_id, email_digest),
  constraint credentials_password_age check ((password_hash is null) = (password_set_at is null))
) with (fillfactor = 80);
comment on table ledger.credentials is 'Who may log in: keyed digest of the address, Argon2id hash of the password.';

create table ledger.sessions (
  tenant_id  uuid           not null,
  session_id uuid           not null,
  user_id    uuid           not null,
  user_kind  text           not null check (user_kind in ('customer', 'employee')),
  device     text,
  created_at timestamptz(3) not null,
  expires_at timestamptz(3) not null,
  revoked_at timestamptz(3),
  constraint sessions_pkey primary key (tenant_id, session_id)
) with (fillfactor = 80);
comment on table ledger.sessions is 'Log-ins: each the family of its refresh tokens.';
create index sessions_user on ledger.sessions (tenant_id, user_id);
create index sessions_expiry on ledger.sessions (expires_at);

create table ledger.refresh_tokens (
  digest     bytea          not null check (octet_length(digest) = 32),
  tenant_id  uuid           not null,
  session_id uuid           not null,
  spent_at   timestamptz(3),
  constraint refresh_tokens_pkey primary key (digest),
  constraint refresh_tokens_session foreign key (tenant_id, session_id)
    references ledger.sessions (tenant_id, session_id) on delete cascade
) with (fillfactor = 80);
comment on table ledger.refresh_tokens is 'Keyed digests of refresh tokens; a spent one stays, so that its reuse is noticed.';
create index refresh_tokens_session on ledger.refresh_tokens (tenant_id, session_id);

create table ledger.step_ups (
  tenant_id  uuid           not null,
  session_id uuid           not null,
  digest     bytea          not null check (octet_length(digest) = 32),
  expires_at timestamptz(3) not null,
  used_for   text,
  constraint step_ups_pkey primary key (tenant_id, session_id, digest),
  constraint step_ups_session foreign key (tenant_id, session_id)
    references ledger.sessions (tenant_id, session_id) on delete cascade
);
create index step_ups_expiry on ledger.step_ups (expires_at);

create table ledger.denied_tokens (
  tenant_id  uuid           not null,
  jti        text           not null,
  expires_at timestamptz(3) not null,
  constraint denied_tokens_pkey primary key (tenant_id, jti)
);
comment on table ledger.denied_tokens is 'Access tokens that are refused before they expire.';
create index denied_tokens_expiry on ledger.denied_tokens (expires_at);

create table ledger.one_time_passwords (
  tenant_id    uuid           not null,
  purpose      text           not null check (purpose in ('LOGIN', 'RESET_PASSWORD', 'TRANSACTION', 'SET_PASSWORD')),
  email_digest bytea          not null check (octet_length(email_digest) = 32),
  reference    uuid           not null,
  code_digest  bytea          not null check (octet_length(code_digest) = 32),
  created_at   timestamptz(3) not null,
  expires_at   timestamptz(3) not null,
  tries_left   integer        not null check (tries_left >= 0),
  spent_at     timestamptz(3),
  constraint one_time_passwords_pkey primary key (tenant_id, purpose, email_digest)
) with (fillfactor = 80);
comment on table ledger.one_time_passwords is 'The newest one-time password of each address and purpose: a new one voids the old.';
create index one_time_passwords_expiry on ledger.one_time_passwords (expires_at);

create table ledger.attempts (
  tenant_id    uuid           not null,
  subject      text           not null,
  failures     integer        not null check (failures > 0),
  counted_from timestamptz(3) not null,
  expires_at   timestamptz(3) not null,
  locked_until timestamptz(3),
  constraint attempts_pkey primary key (tenant_id, subject)
) with (fillfactor = 80);
comment on table ledger.attempts is 'Wrong attempts by what was attempted (keyed digest or id), and locks.';
create index attempts_expiry on ledger.attempts (expires_at);

create table ledger.devices (
  tenant_id    uuid           not null,
  user_id      uuid           not null,
  device_id    text           not null,
  platform     text           not null,
  name         text           not null,
  push_token   text,
  created_at   timestamptz(3) not null,
  last_seen_at timestamptz(3) not null,
  constraint devices_pkey primary key (tenant_id, user_id, device_id)
) with (fillfactor = 80);

create table ledger.pins (
  tenant_id uuid           not null,
  user_id   uuid           not null,
  device_id text           not null,
  hash      text           not null,
  set_at    timestamptz(3) not null,
  constraint pins_pkey primary key (tenant_id, user_id, device_id)
) with (fillfactor = 80);
comment on table ledger.pins is 'Argon2id hashes of PINs: by device for logging in, with an empty device for transactions.';

create table ledger.outbox (
  tenant_id  uuid           not null,
  mail_id    uuid           not null,
  owner_id   uuid,
  recipient  text           not null,
  from_name  text           not null,
  subject    text           not null,
  body       text           not null,
  created_at timestamptz(3) not null,
  constraint outbox_pkey primary key (tenant_id, mail_id)
);
comment on table ledger.outbox is 'Mail of the sandbox, which is sent to nobody. Empty elsewhere.';
create index outbox_owner on ledger.outbox (tenant_id, owner_id);

do $core$
declare
  name text;
begin
  foreach name in array array['credentials', 'sessions', 'refresh_tokens', 'step_ups', 'denied_tokens',
                              'one_time_passwords', 'attempts', 'devices', 'pins', 'outbox'] loop
    execute format('grant select, insert, update, delete on ledger.%I to corebook_core', name);
    execute format('alter table ledger.%I enable row level security', name);
    execute format('alter table ledger.%I force row level security', name);
    execute format('create policy %I on ledger.%I to corebook_core using (true) with check (true)',
                   name || '_core', name);
  end loop;
end
$core$;
