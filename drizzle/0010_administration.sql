ALTER TABLE "agents" ADD COLUMN "left_by" text;--> statement-breakpoint
ALTER TABLE "target_versions" ADD COLUMN "msp_wide" json;--> statement-breakpoint
ALTER TABLE "targets" ADD COLUMN "secret_hash" text;--> statement-breakpoint
ALTER TABLE "agents" ADD CONSTRAINT "agents_left_by_persons_name_fk" FOREIGN KEY ("left_by") REFERENCES "public"."persons"("name") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "targets_secret_hash" ON "targets" USING btree ("secret_hash") WHERE secret_hash is not null;--> statement-breakpoint
-- One secret at two targets is found over all tenants, by its keyed hash.
GRANT SELECT (tenant, name, secret_hash) ON targets TO brevet_list;
--> statement-breakpoint
CREATE POLICY listed ON targets FOR SELECT TO brevet_list USING (true);
