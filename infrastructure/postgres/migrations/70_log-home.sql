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

-- As before, where the log is kept here. Who may append calls the next one.
alter function ledger.append_batches(text, text, text, text, text, text, text, text, text, text, text, text, text, text) rename to write_batches;
revoke all on function ledger.write_batches(text, text, text, text, text, text, text, text, text, text, text, text, text, text) from corebook_core;

-- ledger.write_batches, where p_home is where the log is kept: a process with the wrong LOG_URL is refused.
create function ledger.append_batches(
  p_tenants text, p_expected text, p_previous text, p_counts text,
  p_ids text, p_types text, p_versions text, p_recorded text, p_effective text,
  p_tags text, p_metas text, p_datas text, p_hashes text, p_keys text, p_home text
) returns table (status text, revision bigint, first_position bigint)
language plpgsql security definer set search_path = ledger, pg_temp as $$
declare
  v_home text;
begin
  select h.home into strict v_home from ledger.log_head h for update;
  if v_home <> p_home then
    raise exception 'the log of this database is kept in %, not in %', v_home, p_home
      using errcode = 'object_not_in_prerequisite_state';
  end if;
  return query select * from ledger.write_batches(
    p_tenants, p_expected, p_previous, p_counts, p_ids, p_types, p_versions, p_recorded, p_effective,
    p_tags, p_metas, p_datas, p_hashes, p_keys);
end
$$;
revoke all on function ledger.append_batches(text, text, text, text, text, text, text, text, text, text, text, text, text, text, text) from public;
grant execute on function ledger.append_batches(text, text, text, text, text, text, text, text, text, text, text, text, text, text, text) to corebook_core;

-- As the version before calls it, which knows of one home only: it may still run while this one starts.
create function ledger.append_batches(
  p_tenants text, p_expected text, p_previous text, p_counts text,
  p_ids text, p_types text, p_versions text, p_recorded text, p_effective text,
  p_tags text, p_metas text, p_datas text, p_hashes text, p_keys text
) returns table (status text, revision bigint, first_position bigint)
language sql security definer set search_path = ledger, pg_temp as $$
  select * from ledger.append_batches(
    p_tenants, p_expected, p_previous, p_counts, p_ids, p_types, p_versions, p_recorded, p_effective,
    p_tags, p_metas, p_datas, p_hashes, p_keys, 'postgres')
$$;
revoke all on function ledger.append_batches(text, text, text, text, text, text, text, text, text, text, text, text, text, text) from public;
grant execute on function ledger.append_batches(text, text, text, text, text, text, text, text, text, text, text, text, text, text) to corebook_core;
