CREATE TABLE "changes" (
	"tenant" text NOT NULL,
	"id" text PRIMARY KEY NOT NULL,
	"act" json NOT NULL,
	"reason" text NOT NULL,
	"proposer" text NOT NULL,
	"operator" text NOT NULL,
	"proposed_at" bigint NOT NULL,
	"expires_at" bigint NOT NULL,
	"hash" text NOT NULL,
	"state" text NOT NULL,
	"confirmer" text,
	CONSTRAINT "changes_take_two" CHECK ("changes"."confirmer" <> "changes"."proposer"),
	CONSTRAINT "changes_known" CHECK ("changes"."state" in ('open', 'owed', 'applied', 'withdrawn')),
	CONSTRAINT "changes_confirmed" CHECK (("changes"."state" = 'applied') = ("changes"."confirmer" is not null))
);
--> statement-breakpoint
ALTER TABLE "deployment" ADD COLUMN "policies_before" text[] DEFAULT '{}' NOT NULL;--> statement-breakpoint
CREATE INDEX "changes_of" ON "changes" USING btree ("tenant","id");--> statement-breakpoint

-- The same walls as every other table of tenants' rows: see 0002_walls.sql.
GRANT SELECT, INSERT, UPDATE (state, confirmer) ON changes TO brevet_serve;
--> statement-breakpoint
GRANT SELECT ON changes TO brevet_list;
--> statement-breakpoint
ALTER TABLE changes ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE changes FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY named_tenants ON changes USING (tenant = ANY ((SELECT string_to_array(
  current_setting('brevet.tenants', true), ',' ))::text[]));
--> statement-breakpoint
CREATE POLICY listed ON changes FOR SELECT TO brevet_list USING (true);
