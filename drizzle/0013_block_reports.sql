ALTER TABLE "blocks" ADD COLUMN "reported_at" bigint;--> statement-breakpoint
ALTER TABLE "work" ADD COLUMN "why" text;--> statement-breakpoint
GRANT UPDATE (reported_at) ON blocks TO brevet_serve;
