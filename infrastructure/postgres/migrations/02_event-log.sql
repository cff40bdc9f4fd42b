-- The log: one row an event, dense positions over all tenants, dense revisions in each tenant, INSERT only.
-- Every index here is paid on the hot path; reads by tag come from projections.
create table ledger.events (
  position     bigint         not null,
  revision     bigint         not null,
  recorded_at  timestamptz(3) not null,
  tenant_id    uuid           not null,
  id           uuid           not null,
  key_id       uuid,
  effective_at date           not null,
  version      smallint       not null,
  type         text           not null,
  tags         text           not null, -- joined by one space
  hash         bytea          not null,
  meta         text           not null, -- the JSON text that was hashed
  data         text           not null, -- the JSON text that was hashed
  constraint events_pkey primary key (tenant_id, revision),
  constraint events_position unique (position),
  constraint events_id unique (id),
  constraint events_key unique (key_id)
);
comment on table ledger.events is 'The log. Rows are only ever inserted, by ledger.append_batches.';
-- Payload text is kept in line and uncompressed where it fits: reading back is a copy.
alter table ledger.events alter column data set storage main;

-- The last position; taken first in every append, so position order is commit order and there are no gaps.
create table ledger.log_head (
  only_row boolean primary key default true check (only_row),
  position bigint not null
) with (fillfactor = 10);
insert into ledger.log_head (position) values (0);

-- Where each tenant's log ends.
create table ledger.log_tenants (
  tenant_id   uuid           primary key,
  revision    bigint         not null,
  position    bigint         not null,
  recorded_at timestamptz(3) not null,
  hash        bytea          not null
) with (fillfactor = 50);

create function ledger.refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'the log is append-only: % on ledger.events is refused', tg_op using errcode = 'restrict_violation';
end
$$;
create trigger events_append_only before update or delete or truncate on ledger.events
  for each statement execute function ledger.refuse_change();

-- Appends several batches (each of one tenant) in one transaction and one round trip. Lists are texts joined by line
-- feeds: no element can contain one, and splitting them here is cheaper than escaping arrays in the driver.
-- A batch whose tenant does not end at the expected revision and hash is a conflict, unless exactly its events stand
-- there already. The hash is checked because appends are pipelined: of two batches the first may lose to another writer
-- whose events bring the log to just the revision that the second one expects.
-- A key that was answered before raises unique_violation on events_key, and nothing is appended.
create function ledger.append_batches(
  p_tenants text, p_expected text, p_previous text, p_counts text,
  p_ids text, p_types text, p_versions text, p_recorded text, p_effective text,
  p_tags text, p_metas text, p_datas text, p_hashes text, p_keys text
) returns table (status text, revision bigint, first_position bigint)
language plpgsql security definer set search_path = ledger, pg_temp as $$
declare
  v_tenants   uuid[]   := string_to_array(p_tenants, e'\n')::uuid[];
  v_expected  bigint[] := string_to_array(p_expected, e'\n')::bigint[];
  v_previous  text[]   := string_to_array(p_previous, e'\n');
  v_counts    int[]    := string_to_array(p_counts, e'\n')::int[];
  v_ids       uuid[]   := string_to_array(p_ids, e'\n')::uuid[];
  v_types     text[]   := string_to_array(p_types, e'\n');
  v_versions  int2[]   := string_to_array(p_versions, e'\n')::int2[];
  v_recorded  timestamptz[] := string_to_array(p_recorded, e'\n')::timestamptz[];
  v_effective date[]   := string_to_array(p_effective, e'\n')::date[];
  v_tags      text[]   := string_to_array(p_tags, e'\n');
  v_metas     text[]   := string_to_array(p_metas, e'\n');
  v_datas     text[]   := string_to_array(p_datas, e'\n');
  v_hashes    text[]   := string_to_array(p_hashes, e'\n');
  v_keys      text[]   := string_to_array(p_keys, e'\n', '');
  v_head      bigint;
  v_start     bigint;
  v_current   bigint;
  v_hash      bytea;
  v_known     boolean;
  v_same      bigint;
  v_from      int := 1;
  v_to        int;
begin
  select h.position into strict v_head from ledger.log_head h for update;
  v_start := v_head;
  for i in 1 .. array_length(v_tenants, 1) loop
    v_to := v_from + v_counts[i] - 1;
    select t.revision, t.hash into v_current, v_hash from ledger.log_tenants t where t.tenant_id = v_tenants[i];
    v_known := found;
    if not v_known then
      v_current := -1;
      v_hash := decode(repeat('0', 64), 'hex');
    end if;
    if v_current = v_expected[i] and v_hash = decode(v_previous[i], 'hex') then
      insert into ledger.events (position, revision, recorded_at, tenant_id, id, key_id, effective_at, version, type, tags, hash, meta, data)
      select v_head + e.n, v_current + e.n, e.recorded_at, v_tenants[i], e.id, e.key_id::uuid, e.effective_at, e.version,
             e.type, coalesce(e.tags, ''), decode(e.hash, 'hex'), e.meta, e.data
        from unnest(v_recorded[v_from:v_to], v_ids[v_from:v_to], v_keys[v_from:v_to], v_effective[v_from:v_to],
                    v_versions[v_from:v_to], v_types[v_from:v_to], v_tags[v_from:v_to], v_hashes[v_from:v_to],
                    v_metas[v_from:v_to], v_datas[v_from:v_to])
             with ordinality as e(recorded_at, id, key_id, effective_at, version, type, tags, hash, meta, data, n);
      if v_known then
        update ledger.log_tenants t
           set revision = v_current + v_counts[i], position = v_head + v_counts[i],
               recorded_at = v_recorded[v_to], hash = decode(v_hashes[v_to], 'hex')
         where t.tenant_id = v_tenants[i];
      else
        insert into ledger.log_tenants values
          (v_tenants[i], v_counts[i] - 1, v_head + v_counts[i], v_recorded[v_to], decode(v_hashes[v_to], 'hex'));
      end if;
      status := 'appended';
      revision := v_current + v_counts[i];
      first_position := v_head + 1;
      v_head := v_head + v_counts[i];
    else
      select count(*), min(e.position) into v_same, first_position
        from ledger.events e
        join unnest(v_ids[v_from:v_to]) with ordinality as given(id, n)
          on e.revision = v_expected[i] + given.n and e.id = given.id
       where e.tenant_id = v_tenants[i]
         and e.revision between v_expected[i] + 1 and v_expected[i] + v_counts[i];
      if v_same = v_counts[i] then
        status := 'appended';
        revision := v_expected[i] + v_counts[i];
      else
        status := 'conflict';
        revision := v_current;
        first_position := null;
      end if;
    end if;
    return next;
    v_from := v_to + 1;
  end loop;
  if v_head > v_start then
    update ledger.log_head set position = v_head;
  end if;
end
$$;

revoke all on function ledger.append_batches(text, text, text, text, text, text, text, text, text, text, text, text, text, text) from public;
grant execute on function ledger.append_batches(text, text, text, text, text, text, text, text, text, text, text, text, text, text) to corebook_core;
grant select on ledger.events, ledger.log_head, ledger.log_tenants to corebook_core;

alter table ledger.events enable row level security;
alter table ledger.events force row level security;
create policy events_core on ledger.events for select to corebook_core using (true);
create policy events_owner on ledger.events to current_user using (true) with check (true);
alter table ledger.log_tenants enable row level security;
create policy log_tenants_core on ledger.log_tenants for select to corebook_core using (true);
