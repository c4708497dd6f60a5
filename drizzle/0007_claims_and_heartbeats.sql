ALTER TABLE "idempotency" ADD COLUMN "entry" text;--> statement-breakpoint
-- A node that is gone leaves its last heartbeat behind, which those that go on forget.
GRANT DELETE ON heartbeats TO brevet_work;
