CREATE TABLE "blocks" (
	"tenant" text NOT NULL,
	"id" text NOT NULL,
	"scope" text NOT NULL,
	"name" text NOT NULL,
	"author" text NOT NULL,
	"from" bigint NOT NULL,
	"until" bigint,
	"reason" text NOT NULL,
	"drill" boolean DEFAULT false NOT NULL,
	"lifted_at" bigint,
	"lifted_by" text,
	CONSTRAINT "blocks_tenant_id_pk" PRIMARY KEY("tenant","id")
);
--> statement-breakpoint
CREATE TABLE "turns" (
	"name" text PRIMARY KEY NOT NULL,
	"fence" bigint NOT NULL,
	"held_until" bigint NOT NULL
);
--> statement-breakpoint
ALTER TABLE "leases" ADD COLUMN "tier" integer DEFAULT 3 NOT NULL;--> statement-breakpoint
ALTER TABLE "leases" ADD COLUMN "data_classes" json DEFAULT '[]'::json NOT NULL;--> statement-breakpoint
ALTER TABLE "leases" ADD COLUMN "uses" integer;--> statement-breakpoint
ALTER TABLE "leases" ADD COLUMN "idle" json;--> statement-breakpoint
ALTER TABLE "leases" ADD COLUMN "declared" json;--> statement-breakpoint
ALTER TABLE "leases" ADD COLUMN "used" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "leases" ADD COLUMN "used_at" bigint;--> statement-breakpoint
ALTER TABLE "leases" ADD COLUMN "block" text;--> statement-breakpoint
ALTER TABLE "leases" ADD COLUMN "look_at" bigint;--> statement-breakpoint
ALTER TABLE "blocks" ADD CONSTRAINT "blocks_tenant_tenants_name_fk" FOREIGN KEY ("tenant") REFERENCES "public"."tenants"("name") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "leases_watched" ON "leases" USING btree ("look_at") WHERE state = 'active' and look_at is not null;--> statement-breakpoint
CREATE INDEX "leases_blocked" ON "leases" USING btree ("block") WHERE block is not null;--> statement-breakpoint
-- Blocks stand behind the wall, and those who oversee several tenants list them.
GRANT SELECT, INSERT ON blocks TO brevet_serve;
--> statement-breakpoint
GRANT UPDATE (lifted_at, lifted_by) ON blocks TO brevet_serve;
--> statement-breakpoint
GRANT SELECT ON blocks TO brevet_list;
--> statement-breakpoint
ALTER TABLE blocks ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE blocks FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY named_tenants ON blocks USING (tenant = ANY ((SELECT string_to_array(
  current_setting('brevet.tenants', true), ','))::text[]));
--> statement-breakpoint
CREATE POLICY listed ON blocks FOR SELECT TO brevet_list USING (true);
--> statement-breakpoint
-- Whether a credential is in use is looked at over all tenants, and is no fact: a look moves the next one.
GRANT SELECT (request, task, provider, tier, data_classes, idle, opened_at, active_at, used, used_at, look_at, block) ON leases
  TO brevet_work;
--> statement-breakpoint
GRANT UPDATE (used_at, look_at) ON leases TO brevet_work;
--> statement-breakpoint
CREATE POLICY watched ON leases FOR UPDATE TO brevet_work USING (state = 'active') WITH CHECK (state = 'active');
--> statement-breakpoint
GRANT SELECT (tier, data_classes, uses, idle, declared, used, used_at, look_at, block) ON leases TO brevet_list;
--> statement-breakpoint
GRANT UPDATE (used, used_at, block, look_at) ON leases TO brevet_serve;
--> statement-breakpoint
-- Turns stand above tenants, and their names say which provider's object they are about.
GRANT SELECT, INSERT, UPDATE ON turns TO brevet_work;
