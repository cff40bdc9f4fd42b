-- Who may do what, before there is anything to do it to.
--
--   corebook_core     the write path, projections and jobs
--   corebook_api      queries, under row-level security
--   corebook_analyst  SELECT on the documented views of schema analytics, nothing else
--
-- Roles belong to the whole server, so they may exist already. They cannot log in until they get a password (roles.ts).
-- Tables grant what they need in the migration that creates them; nothing is granted by default.

DO $roles$
DECLARE
  wanted text;
BEGIN
  FOREACH wanted IN ARRAY ARRAY['corebook_core', 'corebook_api', 'corebook_analyst'] LOOP
    CONTINUE WHEN EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = wanted);
    BEGIN
      EXECUTE format('CREATE ROLE %I NOLOGIN NOINHERIT', wanted);
    EXCEPTION
      WHEN duplicate_object OR unique_violation THEN
        NULL; -- Another database of this server is being migrated at the same time.
      WHEN insufficient_privilege THEN
        RAISE EXCEPTION 'database user "%" may not create role "%"', current_user, wanted
          USING ERRCODE = 'insufficient_privilege',
                HINT = format('Run as administrator: ALTER ROLE %I CREATEROLE;', current_user);
    END;
  END LOOP;
  EXECUTE format(
    'GRANT CONNECT ON DATABASE %I TO corebook_core, corebook_api, corebook_analyst', pg_catalog.current_database());
END
$roles$;

CREATE SCHEMA IF NOT EXISTS ledger;
COMMENT ON SCHEMA ledger IS 'The log and the read models. Written by Corebook only.';

CREATE SCHEMA IF NOT EXISTS analytics;
COMMENT ON SCHEMA analytics IS 'Documented views for analysts. Their columns are a public interface.';

GRANT USAGE ON SCHEMA ledger TO corebook_core, corebook_api;
GRANT USAGE ON SCHEMA analytics TO corebook_api, corebook_analyst;
