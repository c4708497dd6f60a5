ALTER TABLE "trips" ADD COLUMN "breaker" text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE "turns" ADD COLUMN "done_at" bigint;--> statement-breakpoint
CREATE INDEX "entries_refused_again" ON "entries" USING btree ("at") WHERE kind = 'request.forbidden_again';--> statement-breakpoint
CREATE UNIQUE INDEX "pauses_of_broker" ON "pauses" USING btree ("tenant") WHERE author = '(broker)' and ended_at is null;--> statement-breakpoint
CREATE INDEX "trips_of" ON "trips" USING btree ("tenant","agent","task");--> statement-breakpoint
CREATE INDEX "trips_from" ON "trips" USING btree ("from");--> statement-breakpoint
CREATE INDEX "approvals_rejected" ON "approvals" USING btree ("decided_at") WHERE state = 'rejected';--> statement-breakpoint
CREATE INDEX "leases_failed" ON "leases" USING btree ("revoking_at") WHERE outcome ->> 'outcome' = 'failed';--> statement-breakpoint
CREATE INDEX "requests_refused" ON "requests" USING btree ("at") WHERE effect = 'forbid';
