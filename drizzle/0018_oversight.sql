CREATE TABLE "orders" (
	"tenant" text NOT NULL,
	"id" text NOT NULL,
	"lease" text NOT NULL,
	"agent" text NOT NULL,
	"task" text NOT NULL,
	"resource" text NOT NULL,
	"parameters" json NOT NULL,
	"by" text NOT NULL,
	"reason" text NOT NULL,
	"at" bigint NOT NULL,
	"until" bigint NOT NULL,
	"request" text,
	CONSTRAINT "orders_tenant_id_pk" PRIMARY KEY("tenant","id")
);
--> statement-breakpoint
CREATE TABLE "pauses" (
	"tenant" text NOT NULL,
	"id" text NOT NULL,
	"author" text NOT NULL,
	"reason" text NOT NULL,
	"from" bigint NOT NULL,
	"ended_at" bigint,
	"ended_by" text,
	CONSTRAINT "pauses_tenant_id_pk" PRIMARY KEY("tenant","id"),
	CONSTRAINT "pauses_ended_by_somebody" CHECK (("pauses"."ended_at" is null) = ("pauses"."ended_by" is null))
);
--> statement-breakpoint
CREATE TABLE "reviews" (
	"tenant" text NOT NULL,
	"id" text NOT NULL,
	"what" text NOT NULL,
	"about" text NOT NULL,
	"agent" text,
	"opened_by" text NOT NULL,
	"reason" text NOT NULL,
	"at" bigint NOT NULL,
	"from" bigint NOT NULL,
	"due" bigint NOT NULL,
	"not_by" text[] NOT NULL,
	"done_by" text,
	"done_at" bigint,
	"words" text,
	CONSTRAINT "reviews_tenant_id_pk" PRIMARY KEY("tenant","id"),
	CONSTRAINT "reviews_by_another" CHECK ("reviews"."done_by" is null or not ("reviews"."done_by" = any("reviews"."not_by"))),
	CONSTRAINT "reviews_done_whole" CHECK (("reviews"."done_by" is null) = ("reviews"."done_at" is null) and ("reviews"."done_by" is null) = ("reviews"."words" is null))
);
--> statement-breakpoint
CREATE TABLE "trips" (
	"tenant" text NOT NULL,
	"id" text NOT NULL,
	"agent" text NOT NULL,
	"task" text NOT NULL,
	"signal" text NOT NULL,
	"to" text NOT NULL,
	"counts" json NOT NULL,
	"from" bigint NOT NULL,
	"block" text,
	"ended_at" bigint,
	"ended_by" text,
	CONSTRAINT "trips_tenant_id_pk" PRIMARY KEY("tenant","id")
);
--> statement-breakpoint
CREATE TABLE "verdicts" (
	"tenant" text NOT NULL,
	"id" text NOT NULL,
	"lease" text NOT NULL,
	"verdict" text NOT NULL,
	"reference" text NOT NULL,
	"by" text NOT NULL,
	"at" bigint NOT NULL,
	CONSTRAINT "verdicts_tenant_id_pk" PRIMARY KEY("tenant","id")
);
--> statement-breakpoint
ALTER TABLE "policies" ADD COLUMN "reading" text[] DEFAULT '{}' NOT NULL;--> statement-breakpoint
CREATE UNIQUE INDEX "orders_lease" ON "orders" USING btree ("tenant","lease");--> statement-breakpoint
CREATE INDEX "orders_at" ON "orders" USING btree ("at");--> statement-breakpoint
CREATE INDEX "reviews_open" ON "reviews" USING btree ("tenant","id") WHERE done_at is null;--> statement-breakpoint
CREATE UNIQUE INDEX "trips_standing" ON "trips" USING btree ("tenant","agent","task","to") WHERE ended_at is null and block is null;--> statement-breakpoint
CREATE INDEX "verdicts_lease" ON "verdicts" USING btree ("tenant","lease");--> statement-breakpoint
CREATE INDEX "verdicts_at" ON "verdicts" USING btree ("at");--> statement-breakpoint
-- What oversight wrote stays as it was written: what can be added is who ended it, took it or looked at it.
GRANT SELECT, INSERT ON verdicts, pauses, orders, reviews, trips TO brevet_serve;
--> statement-breakpoint
GRANT UPDATE (ended_at, ended_by) ON pauses TO brevet_serve;
--> statement-breakpoint
GRANT UPDATE (ended_at, ended_by) ON trips TO brevet_serve;
--> statement-breakpoint
GRANT UPDATE (request) ON orders TO brevet_serve;
--> statement-breakpoint
GRANT UPDATE (done_by, done_at, words) ON reviews TO brevet_serve;
--> statement-breakpoint
GRANT SELECT ON verdicts, pauses, orders, reviews, trips TO brevet_list;
--> statement-breakpoint
DO $$
DECLARE
  behind text;
BEGIN
  FOREACH behind IN ARRAY ARRAY['verdicts', 'pauses', 'orders', 'reviews', 'trips']
  LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', behind);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', behind);
    EXECUTE format('CREATE POLICY named_tenants ON %I USING (tenant = ANY ((SELECT string_to_array(
      current_setting(''brevet.tenants'', true), '',''))::text[]))', behind);
    EXECUTE format('CREATE POLICY listed ON %I FOR SELECT TO brevet_list USING (true)', behind);
  END LOOP;
END $$;
