CREATE TABLE "situations" (
	"tenant" text NOT NULL,
	"id" text NOT NULL,
	"kind" text NOT NULL,
	"resource" text,
	"from" bigint NOT NULL,
	"until" bigint NOT NULL,
	"ask_within" bigint,
	"author" text NOT NULL,
	CONSTRAINT "situations_tenant_id_pk" PRIMARY KEY("tenant","id"),
	CONSTRAINT "situations_end" CHECK ("situations"."from" < "situations"."until")
);
--> statement-breakpoint
CREATE TABLE "vendors" (
	"name" text PRIMARY KEY NOT NULL,
	"trains" boolean NOT NULL,
	"retention_days" integer NOT NULL,
	"residency" json NOT NULL,
	"retired" boolean DEFAULT false NOT NULL
);
--> statement-breakpoint
ALTER TABLE "situations" ADD CONSTRAINT "situations_tenant_tenants_name_fk" FOREIGN KEY ("tenant") REFERENCES "public"."tenants"("name") ON DELETE no action ON UPDATE no action;
--> statement-breakpoint
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
