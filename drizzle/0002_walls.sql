-- Who may do what: grants, the wall between tenants, and what no code can be allowed to get wrong.
-- The roles themselves are made beforehand, since the owner of the database need not be able to make any.

INSERT INTO deployment DEFAULT VALUES;
--> statement-breakpoint
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC;
--> statement-breakpoint
GRANT USAGE ON SCHEMA public TO brevet_serve, brevet_work, brevet_list;
--> statement-breakpoint
GRANT USAGE ON SCHEMA drizzle TO brevet_serve;
--> statement-breakpoint
GRANT SELECT ON drizzle.__drizzle_migrations TO brevet_serve;
--> statement-breakpoint

-- Serving: registers and requests of the tenants that its transaction names.
GRANT SELECT ON ALL TABLES IN SCHEMA public TO brevet_serve;
--> statement-breakpoint
GRANT UPDATE ON deployment TO brevet_serve;
--> statement-breakpoint
GRANT INSERT ON policies, signing_keys, target_versions, requests, assertions, idempotency, entries, entry_values
  TO brevet_serve;
--> statement-breakpoint
GRANT INSERT, UPDATE ON tenants, persons, operators, agents, issuers, targets, approvals, refusal_counts TO brevet_serve;
--> statement-breakpoint
GRANT INSERT, UPDATE, DELETE ON enrolments, memberships, assignments, target_audiences, work TO brevet_serve;
--> statement-breakpoint
GRANT INSERT, UPDATE (state, reference, secret, active_at, revoking_at, cause, death, exposure, outcome)
  ON leases TO brevet_serve;
--> statement-breakpoint

-- Working: the outbox, what a sweeper lists, and what may be forgotten, over all tenants.
GRANT SELECT, UPDATE, DELETE ON work TO brevet_work;
--> statement-breakpoint
GRANT SELECT (tenant, id, agent, owner, role, target, state, expires_at) ON leases TO brevet_work;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE ON heartbeats TO brevet_work;
--> statement-breakpoint
GRANT SELECT, DELETE ON assertions, idempotency TO brevet_work;
--> statement-breakpoint

-- Listing: what operators see across tenants, and what must be unique over all of them. No secret of any.
GRANT SELECT ON tenants, enrolments, memberships, assignments, target_audiences, requests, approvals TO brevet_list;
--> statement-breakpoint
GRANT SELECT (tenant, id, request, approval, agent, owner, role, task, provider, target, target_version, resource, mark,
  opened_at, mint_deadline, expires_at, policy, specification, state, reference, active_at, revoking_at, cause, death,
  exposure, outcome) ON leases TO brevet_list;
--> statement-breakpoint

-- The second wall. Every table that has a column `tenant` stands behind it, and so do the tenants themselves. It is
-- forced, so that the owner of the tables does not pass either. The setting is read once in a statement.
DO $$
DECLARE
  behind record;
BEGIN
  FOR behind IN
    SELECT c.relname AS name, CASE c.relname WHEN 'tenants' THEN 'name' ELSE 'tenant' END AS col
    FROM pg_class c
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND (c.relname = 'tenants' OR EXISTS (
      SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant' AND NOT a.attisdropped))
  LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', behind.name);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', behind.name);
    EXECUTE format('CREATE POLICY named_tenants ON %I USING (%I = ANY ((SELECT string_to_array(
      current_setting(''brevet.tenants'', true), '','' ))::text[]))', behind.name, behind.col);
  END LOOP;
END $$;
--> statement-breakpoint
CREATE POLICY all_work ON work TO brevet_work USING (true);
--> statement-breakpoint
CREATE POLICY all_leases ON leases FOR SELECT TO brevet_work USING (true);
--> statement-breakpoint
CREATE POLICY forgettable_read ON assertions FOR SELECT TO brevet_work USING (true);
--> statement-breakpoint
CREATE POLICY forgettable ON assertions FOR DELETE TO brevet_work USING (until < brevet_now());
--> statement-breakpoint
CREATE POLICY forgettable_read ON idempotency FOR SELECT TO brevet_work USING (true);
--> statement-breakpoint
CREATE POLICY forgettable ON idempotency FOR DELETE TO brevet_work USING (at < brevet_now() - 86400000);
--> statement-breakpoint
DO $$
DECLARE
  listed text;
BEGIN
  FOREACH listed IN ARRAY ARRAY['tenants', 'enrolments', 'memberships', 'assignments', 'target_audiences', 'requests',
    'approvals', 'leases']
  LOOP
    EXECUTE format('CREATE POLICY listed ON %I FOR SELECT TO brevet_list USING (true)', listed);
  END LOOP;
  -- For the trigger below, which runs as the owner: it must see a holder's memberships at every tenant.
  EXECUTE format('CREATE POLICY counted ON memberships FOR SELECT TO %I USING (true)', current_user);
END $$;
--> statement-breakpoint

-- Administration of the deployment counts at every tenant: no other function stands beside it, whichever came first.
-- The lock is the one that changes of registers hold (REGISTER_LOCK in src/store/roles.ts), so that two transactions
-- cannot each miss the other's row.
CREATE FUNCTION refuse_second_function() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  other text;
BEGIN
  PERFORM pg_advisory_xact_lock(4715100841);
  SELECT m.function INTO other FROM memberships m
  WHERE m.holder_kind = NEW.holder_kind AND m.holder = NEW.holder AND m.function <> NEW.function
    AND (m.tenant = NEW.tenant OR m.tenant = '*' OR NEW.tenant = '*')
  LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION '% % holds %', NEW.holder_kind, NEW.holder, other
      USING ERRCODE = 'BV001', CONSTRAINT = 'memberships_one_function', DETAIL = other;
  END IF;
  RETURN NEW;
END $$;
--> statement-breakpoint
CREATE TRIGGER memberships_one_function BEFORE INSERT OR UPDATE ON memberships
FOR EACH ROW EXECUTE FUNCTION refuse_second_function();
--> statement-breakpoint

-- A membership lives as long as an assignment that gives it.
CREATE FUNCTION end_membership() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM memberships m
  WHERE m.tenant = OLD.tenant AND m.holder_kind = OLD.holder_kind AND m.holder = OLD.holder AND NOT EXISTS (
    SELECT FROM assignments a
    WHERE a.tenant = OLD.tenant AND a.holder_kind = OLD.holder_kind AND a.holder = OLD.holder);
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER assignments_end_membership AFTER DELETE ON assignments
FOR EACH ROW EXECUTE FUNCTION end_membership();
--> statement-breakpoint

-- The states of a lease, and no other way (MOVES in src/core/lease.ts). What dies in the commit of its revocation
-- passes `revoking` within it.
CREATE FUNCTION refuse_lease_move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND (
    (OLD.state, NEW.state) IN (('opening', 'active'), ('opening', 'revoking'), ('opening', 'failed'),
      ('active', 'revoking'), ('revoking', 'revoked'))
    OR (OLD.state IN ('opening', 'active') AND NEW.state = 'revoked' AND NEW.revoking_at IS NOT NULL)
  ) AND (NEW.state <> 'revoked' OR NEW.death IS NOT NULL) THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'a lease does not move from % to %', CASE TG_OP WHEN 'UPDATE' THEN OLD.state END, NEW.state
    USING ERRCODE = 'BV002';
END $$;
--> statement-breakpoint
CREATE TRIGGER leases_begin BEFORE INSERT ON leases
FOR EACH ROW WHEN (NEW.state NOT IN ('opening', 'active')) EXECUTE FUNCTION refuse_lease_move();
--> statement-breakpoint
CREATE TRIGGER leases_move BEFORE UPDATE ON leases
FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION refuse_lease_move();
--> statement-breakpoint

-- What was written down stays, whoever asks.
CREATE FUNCTION refuse_rewriting() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is only ever added to', TG_TABLE_NAME USING ERRCODE = 'BV003';
END $$;
--> statement-breakpoint
CREATE TRIGGER entries_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON entries
FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting();
--> statement-breakpoint
CREATE TRIGGER entry_values_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON entry_values
FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting();
--> statement-breakpoint
CREATE TRIGGER policies_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON policies
FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting();
--> statement-breakpoint
CREATE TRIGGER target_versions_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON target_versions
FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting();
