CREATE TABLE "acceptances" (
	"tenant" text NOT NULL,
	"agent" text NOT NULL,
	"model" text NOT NULL,
	"model_version" text NOT NULL,
	"tasks" text[] NOT NULL,
	"reason" text NOT NULL,
	"authors" text[] NOT NULL,
	"in_setup" boolean NOT NULL,
	CONSTRAINT "acceptances_tenant_agent_pk" PRIMARY KEY("tenant","agent"),
	CONSTRAINT "acceptances_two" CHECK ("acceptances"."in_setup" or coalesce("acceptances"."authors"[1] <> "acceptances"."authors"[2], false))
);
--> statement-breakpoint
ALTER TABLE "acceptances" ADD CONSTRAINT "acceptances_enrolled" FOREIGN KEY ("tenant","agent") REFERENCES "public"."enrolments"("tenant","agent") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON acceptances TO brevet_serve;
--> statement-breakpoint
-- The wall of 0002_walls.sql, for a table that came after it.
ALTER TABLE acceptances ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE acceptances FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY named_tenants ON acceptances USING (tenant = ANY ((SELECT string_to_array(
  current_setting('brevet.tenants', true), ','))::text[]));
