-- What read models need beside their tables, which are made from their definitions in code (read-store-ddl.ts).

-- One row a build of a projection. Exactly one build is live: the views of ledger point at its tables.
create table ledger.projections (
  name         text        not null,
  version      int         not null,
  generation   int         not null,
  status       text        not null check (status in ('live', 'building', 'retired')),
  checkpoint   text        not null default '', -- position up to which all events are in the tables
  parked_error text,
  tables       text[]      not null,
  loaded       boolean     not null, -- keys and indexes that a bulk load leaves out are there
  updated_at   timestamptz not null default clock_timestamp(),
  constraint projections_pkey primary key (name, generation)
) with (fillfactor = 20);
comment on table ledger.projections is 'Builds of read models and how far each has come.';
create unique index projections_live on ledger.projections (name) where status = 'live';
grant select, update on ledger.projections to corebook_core;
grant select on ledger.projections to corebook_api;

-- Digests of the analysts' views, so that a start that changes nothing locks nothing.
create table ledger.analyst_views (
  name   text primary key,
  digest text not null
);

-- First statement of every batch: moves the checkpoint or fails the transaction (CB001: somebody else was first, or the
-- build is not used any more). The row lock makes a second projector wait for the first, and then fail here.
create function ledger.advance_projection(p_name text, p_generation int, p_expected text, p_next text)
returns void language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  update ledger.projections
     set checkpoint = p_next, parked_error = null, updated_at = clock_timestamp()
   where name = p_name and generation = p_generation and checkpoint = p_expected and status <> 'retired';
  if not found then
    raise exception 'projection % (%) is not at %', p_name, p_generation, p_expected using errcode = 'CB001';
  end if;
end
$$;

-- Fails the transaction when a statement met another number of rows than it was written for.
create function ledger.expect_rows(p_found bigint, p_expected bigint)
returns void language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
  if p_found <> p_expected then
    raise exception '% rows to change, % found', p_expected, p_found using errcode = 'CB002';
  end if;
end
$$;

revoke all on function ledger.advance_projection(text, int, text, text) from public;
revoke all on function ledger.expect_rows(bigint, bigint) from public;
grant execute on function ledger.advance_projection(text, int, text, text) to corebook_core;
grant execute on function ledger.expect_rows(bigint, bigint) to corebook_core;

-- Queries read the log for what read models do not repeat (narrations, actors), each tenant its own events only.
create policy events_api on ledger.events for select to corebook_api
  using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
grant select on ledger.events to corebook_api;
