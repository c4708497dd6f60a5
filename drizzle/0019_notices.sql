CREATE TABLE "late_notices" (
	"tenant" text NOT NULL,
	"task" text NOT NULL,
	"since" bigint NOT NULL,
	CONSTRAINT "late_notices_tenant_task_pk" PRIMARY KEY("tenant","task")
);
--> statement-breakpoint
CREATE TABLE "channels" (
	"name" text PRIMARY KEY NOT NULL,
	"told_at" bigint,
	"failing_since" bigint,
	"why" text
);
--> statement-breakpoint
ALTER TABLE "late_notices" ADD CONSTRAINT "late_notices_tenant_tenants_name_fk" FOREIGN KEY ("tenant") REFERENCES "public"."tenants"("name") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "work_order" ON "work" USING btree ((what->'order'->>'of')) WHERE what->'order'->>'of' is not null;
--> statement-breakpoint
-- How channels stand is no fact, and stands above tenants, as heartbeats do; what could not be told, behind the wall.
GRANT SELECT, INSERT, UPDATE ON channels TO brevet_work;
--> statement-breakpoint
GRANT SELECT, INSERT, DELETE ON late_notices TO brevet_serve;
--> statement-breakpoint
ALTER TABLE late_notices ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE late_notices FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY named_tenants ON late_notices USING (tenant = ANY ((SELECT string_to_array(
  current_setting('brevet.tenants', true), ','))::text[]));
