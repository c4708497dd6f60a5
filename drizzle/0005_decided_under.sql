ALTER TABLE "leases" ADD COLUMN "tenant_epoch" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "leases" ADD COLUMN "deployment_epoch" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
GRANT SELECT (tenant_epoch, deployment_epoch) ON leases TO brevet_work, brevet_list;
--> statement-breakpoint
GRANT UPDATE (tenant_epoch, deployment_epoch) ON leases TO brevet_serve;
