-- Vendors' records stand above tenants; what changes by the hour at a tenant stands behind the wall.
GRANT SELECT, INSERT, UPDATE ON vendors TO brevet_serve;
--> statement-breakpoint
GRANT SELECT, INSERT, DELETE ON situations TO brevet_serve;
--> statement-breakpoint
ALTER TABLE situations ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE situations FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY named_tenants ON situations USING (tenant = ANY ((SELECT string_to_array(
  current_setting('brevet.tenants', true), ','))::text[]));
