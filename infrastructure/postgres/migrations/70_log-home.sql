-- Where the log is kept: here, or in EventStoreDB, and then ledger.events is its copy, in the same order and with the same
-- positions. While it moves nobody appends but who moves it.
alter table ledger.log_head add column home text not null default 'postgres'
  check (home in ('postgres', 'eventstoredb', 'moving to postgres', 'moving to eventstoredb'));

-- How far the follower of EventStoreDB has looked through $all; null before the first time.
create table ledger.log_follower (
  only_row         boolean primary key default true check (only_row),
  commit_position  numeric(20),
  prepare_position numeric(20)
);
insert into ledger.log_follower default values;
grant select, update (commit_position, prepare_position) on ledger.log_follower to corebook_core;

-- Says that the log is kept in p_home, if nothing was written yet; answers where it is kept.
create function ledger.claim_log_home(p_home text) returns text
language plpgsql security definer set search_path = ledger, pg_temp as $$
declare
  v_home text;
begin
  update ledger.log_head h set home = p_home
   where h.home <> p_home and h.position = 0 and h.home in ('postgres', 'eventstoredb');
  select h.home into strict v_home from ledger.log_head h;
  return v_home;
end
$$;
revoke all on function ledger.claim_log_home(text) from public;
grant execute on function ledger.claim_log_home(text) to corebook_core;

-- Appends several batches (each of one tenant) in one transaction and one round trip. Lists are texts joined by line
-- feeds: no element can contain one, and splitting them here is cheaper than escaping arrays in the driver.
-- A batch whose tenant does not end at the expected revision and hash is a conflict, unless exactly its events stand
-- there already. The hash is checked because appends are pipelined: of two batches the first may lose to another writer
-- whose events bring the log to just the revision that the second one expects.
-- Only where the log is at home may it grow: a process with the wrong LOG_URL is refused.
-- A key that was answered before raises unique_violation on events_key, and nothing is appended.
create function ledger.append_batches(
  p_tenants text, p_expected text, p_previous text, p_counts text,
  p_ids text, p_types text, p_versions text, p_recorded text, p_effective text,
  p_tags text, p_metas text, p_datas text, p_hashes text, p_keys text, p_home text
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
  v_home      text;
  v_start     bigint;
  v_current   bigint;
  v_hash      bytea;
  v_known     boolean;
  v_same      bigint;
  v_from      int := 1;
  v_to        int;
begin
  select h.position, h.home into strict v_head, v_home from ledger.log_head h for update;
  if v_home <> p_home then
    raise exception 'the log of this database is kept in %, not in %', v_home, p_home
      using errcode = 'object_not_in_prerequisite_state';
  end if;
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

revoke all on function ledger.append_batches(text, text, text, text, text, text, text, text, text, text, text, text, text, text, text) from public;
grant execute on function ledger.append_batches(text, text, text, text, text, text, text, text, text, text, text, text, text, text, text) to corebook_core;

-- As the version before calls it, which knows of one home only: it may still run while this one starts.
create or replace function ledger.append_batches(
  p_tenants text, p_expected text, p_previous text, p_counts text,
  p_ids text, p_types text, p_versions text, p_recorded text, p_effective text,
  p_tags text, p_metas text, p_datas text, p_hashes text, p_keys text
) returns table (status text, revision bigint, first_position bigint)
language sql security definer set search_path = ledger, pg_temp as $$
  select * from ledger.append_batches(
    p_tenants, p_expected, p_previous, p_counts, p_ids, p_types, p_versions, p_recorded, p_effective,
    p_tags, p_metas, p_datas, p_hashes, p_keys, 'postgres')
$$;
