-- What a change of registers made, and all of its receipts: the first entry alone was no answer to what creates.
ALTER TABLE "idempotency" ADD COLUMN "done" json;--> statement-breakpoint
ALTER TABLE "idempotency" DROP COLUMN "entry";
