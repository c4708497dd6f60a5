CREATE TABLE "spread" (
	"owner" text NOT NULL,
	"agent" text NOT NULL,
	"task" text NOT NULL,
	"place" text NOT NULL,
	"at" bigint NOT NULL,
	CONSTRAINT "spread_owner_task_place_agent_pk" PRIMARY KEY("owner","task","place","agent")
);
--> statement-breakpoint
ALTER TABLE "approvals" ADD COLUMN "agent" text DEFAULT '' NOT NULL;--> statement-breakpoint
CREATE INDEX "spread_agent" ON "spread" USING btree ("agent","task","place");--> statement-breakpoint
CREATE INDEX "spread_at" ON "spread" USING btree ("at");--> statement-breakpoint
CREATE INDEX "approvals_open" ON "approvals" USING btree ("tenant","agent","expires_at") WHERE state = 'pending';--> statement-breakpoint
CREATE INDEX "leases_held" ON "leases" USING btree ("tenant","agent","provider") WHERE state in ('opening', 'active', 'revoking');--> statement-breakpoint

-- No wall: what is counted is over all tenants, and no row says at which.
GRANT SELECT, INSERT, UPDATE (at) ON spread TO brevet_serve;
--> statement-breakpoint
GRANT SELECT, DELETE ON spread TO brevet_work;
