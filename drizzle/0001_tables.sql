CREATE TABLE "agents" (
	"name" text PRIMARY KEY NOT NULL,
	"owner" text NOT NULL,
	"deputy" text,
	"kind" text NOT NULL,
	"purpose" text NOT NULL,
	"decisions" json NOT NULL,
	"vendor" text NOT NULL,
	"model" text NOT NULL,
	"model_version" text NOT NULL,
	"autonomy" text NOT NULL,
	"data" json NOT NULL,
	"active" boolean NOT NULL,
	"retired" boolean DEFAULT false NOT NULL
);
--> statement-breakpoint
CREATE TABLE "approvals" (
	"tenant" text NOT NULL,
	"id" text NOT NULL,
	"request" text NOT NULL,
	"state" text DEFAULT 'pending' NOT NULL,
	"expires_at" bigint NOT NULL,
	CONSTRAINT "approvals_tenant_id_pk" PRIMARY KEY("tenant","id"),
	CONSTRAINT "approvals_request" UNIQUE("tenant","request")
);
--> statement-breakpoint
CREATE TABLE "assertions" (
	"tenant" text NOT NULL,
	"client" text NOT NULL,
	"jti" text NOT NULL,
	"until" bigint NOT NULL,
	CONSTRAINT "assertions_tenant_client_jti_pk" PRIMARY KEY("tenant","client","jti")
);
--> statement-breakpoint
CREATE TABLE "assignments" (
	"id" text PRIMARY KEY NOT NULL,
	"tenant" text NOT NULL,
	"holder_kind" text NOT NULL,
	"holder" text NOT NULL,
	"role" text NOT NULL,
	"function" text NOT NULL,
	"until" bigint,
	"reviewer" text,
	CONSTRAINT "assignments_once" UNIQUE("tenant","holder_kind","holder","role")
);
--> statement-breakpoint
CREATE TABLE "deployment" (
	"id" integer PRIMARY KEY DEFAULT 1 NOT NULL,
	"epoch" bigint DEFAULT 1 NOT NULL,
	"set_up" text DEFAULT 'empty' NOT NULL,
	"witnesses" text[] DEFAULT '{}' NOT NULL,
	"stopped" text,
	"policy" text,
	"key_check" text,
	CONSTRAINT "deployment_single" CHECK ("deployment"."id" = 1)
);
--> statement-breakpoint
CREATE TABLE "enrolments" (
	"tenant" text NOT NULL,
	"agent" text NOT NULL,
	"proof" json NOT NULL,
	"thumbprint" text,
	"issuer" text,
	"exception" json,
	CONSTRAINT "enrolments_tenant_agent_pk" PRIMARY KEY("tenant","agent"),
	CONSTRAINT "enrolments_key_of_one" UNIQUE("tenant","thumbprint")
);
--> statement-breakpoint
CREATE TABLE "entries" (
	"tenant" text NOT NULL,
	"id" text NOT NULL,
	"kind" text NOT NULL,
	"at" bigint NOT NULL,
	"request" text,
	"lease" text,
	"text" text NOT NULL,
	"leaf" "bytea" NOT NULL,
	CONSTRAINT "entries_tenant_id_pk" PRIMARY KEY("tenant","id")
);
--> statement-breakpoint
CREATE TABLE "entry_values" (
	"tenant" text NOT NULL,
	"entry" text NOT NULL,
	"values" json NOT NULL,
	CONSTRAINT "entry_values_tenant_entry_pk" PRIMARY KEY("tenant","entry")
);
--> statement-breakpoint
CREATE TABLE "heartbeats" (
	"node" text PRIMARY KEY NOT NULL,
	"at" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "idempotency" (
	"tenant" text NOT NULL,
	"principal" text NOT NULL,
	"route" text NOT NULL,
	"key" text NOT NULL,
	"digest" text NOT NULL,
	"request" text,
	"at" bigint DEFAULT brevet_now() NOT NULL,
	CONSTRAINT "idempotency_tenant_principal_route_key_pk" PRIMARY KEY("tenant","principal","route","key")
);
--> statement-breakpoint
CREATE TABLE "issuers" (
	"name" text PRIMARY KEY NOT NULL,
	"url" text NOT NULL,
	"platform" text NOT NULL,
	"max_age" bigint NOT NULL,
	"retired" boolean DEFAULT false NOT NULL
);
--> statement-breakpoint
CREATE TABLE "leases" (
	"tenant" text NOT NULL,
	"id" text NOT NULL,
	"request" text NOT NULL,
	"approval" text,
	"agent" text NOT NULL,
	"owner" text NOT NULL,
	"role" text NOT NULL,
	"task" text NOT NULL,
	"provider" text NOT NULL,
	"target" text NOT NULL,
	"target_version" integer NOT NULL,
	"resource" text NOT NULL,
	"mark" text NOT NULL,
	"opened_at" bigint NOT NULL,
	"mint_deadline" bigint NOT NULL,
	"expires_at" bigint NOT NULL,
	"policy" text NOT NULL,
	"specification" json NOT NULL,
	"state" text NOT NULL,
	"reference" json,
	"secret" text,
	"active_at" bigint,
	"revoking_at" bigint,
	"cause" text,
	"death" json,
	"exposure" bigint,
	"outcome" json,
	CONSTRAINT "leases_tenant_id_pk" PRIMARY KEY("tenant","id")
);
--> statement-breakpoint
CREATE TABLE "memberships" (
	"tenant" text NOT NULL,
	"holder_kind" text NOT NULL,
	"holder" text NOT NULL,
	"function" text NOT NULL,
	CONSTRAINT "memberships_tenant_holder_kind_holder_pk" PRIMARY KEY("tenant","holder_kind","holder"),
	CONSTRAINT "memberships_function" UNIQUE("tenant","holder_kind","holder","function"),
	CONSTRAINT "memberships_kind" CHECK ("memberships"."holder_kind" in ('person', 'agent')),
	CONSTRAINT "memberships_known" CHECK ("memberships"."function" in ('approval', 'execution', 'oversight', 'administration')),
	CONSTRAINT "memberships_agent_executes" CHECK ("memberships"."holder_kind" <> 'agent' or "memberships"."function" = 'execution'),
	CONSTRAINT "memberships_everywhere" CHECK ("memberships"."tenant" <> '*' or "memberships"."function" = 'administration')
);
--> statement-breakpoint
CREATE TABLE "operators" (
	"name" text PRIMARY KEY NOT NULL,
	"person" text,
	"issuer" text,
	"subject" text,
	"active" boolean NOT NULL,
	"retired" boolean DEFAULT false NOT NULL
);
--> statement-breakpoint
CREATE TABLE "persons" (
	"name" text PRIMARY KEY NOT NULL,
	"display_name" text NOT NULL,
	"email" text,
	"active" boolean NOT NULL,
	"retired" boolean DEFAULT false NOT NULL
);
--> statement-breakpoint
CREATE TABLE "policies" (
	"version" text PRIMARY KEY NOT NULL,
	"files" json NOT NULL,
	"functions" json NOT NULL,
	"added_at" bigint DEFAULT brevet_now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "refusal_counts" (
	"tenant" text NOT NULL,
	"agent" text NOT NULL,
	"task" text NOT NULL,
	"resource" text NOT NULL,
	"code" text NOT NULL,
	"count" bigint NOT NULL,
	"last_at" bigint DEFAULT brevet_now() NOT NULL,
	CONSTRAINT "refusal_counts_tenant_agent_task_resource_code_pk" PRIMARY KEY("tenant","agent","task","resource","code")
);
--> statement-breakpoint
CREATE TABLE "requests" (
	"tenant" text NOT NULL,
	"id" text NOT NULL,
	"agent" text NOT NULL,
	"task" text NOT NULL,
	"resource" text NOT NULL,
	"hash" text NOT NULL,
	"effect" text NOT NULL,
	"decision" json NOT NULL,
	"asked" json NOT NULL,
	"at" bigint NOT NULL,
	"policy" text NOT NULL,
	"lease" text,
	CONSTRAINT "requests_tenant_id_pk" PRIMARY KEY("tenant","id")
);
--> statement-breakpoint
CREATE TABLE "signing_keys" (
	"tenant" text NOT NULL,
	"kid" text NOT NULL,
	"algorithm" text NOT NULL,
	"public_jwk" json NOT NULL,
	"private_jwk" text NOT NULL,
	"added_at" bigint DEFAULT brevet_now() NOT NULL,
	CONSTRAINT "signing_keys_tenant_kid_pk" PRIMARY KEY("tenant","kid")
);
--> statement-breakpoint
CREATE TABLE "target_audiences" (
	"audience" text PRIMARY KEY NOT NULL,
	"tenant" text NOT NULL,
	CONSTRAINT "target_audiences_tenant" UNIQUE("audience","tenant")
);
--> statement-breakpoint
CREATE TABLE "target_versions" (
	"tenant" text NOT NULL,
	"name" text NOT NULL,
	"version" integer NOT NULL,
	"provider" text NOT NULL,
	"config" json NOT NULL,
	"secret" text,
	"jwk" json,
	"environment" text NOT NULL,
	"data_classes" json NOT NULL,
	CONSTRAINT "target_versions_tenant_name_version_pk" PRIMARY KEY("tenant","name","version")
);
--> statement-breakpoint
CREATE TABLE "targets" (
	"tenant" text NOT NULL,
	"name" text NOT NULL,
	"version" integer NOT NULL,
	"audience" text,
	"retired" boolean DEFAULT false NOT NULL,
	CONSTRAINT "targets_tenant_name_pk" PRIMARY KEY("tenant","name")
);
--> statement-breakpoint
CREATE TABLE "tenants" (
	"name" text PRIMARY KEY NOT NULL,
	"display_name" text NOT NULL,
	"context" json NOT NULL,
	"epoch" bigint DEFAULT 1 NOT NULL,
	"retired" boolean DEFAULT false NOT NULL
);
--> statement-breakpoint
CREATE TABLE "work" (
	"id" text PRIMARY KEY NOT NULL,
	"tenant" text NOT NULL,
	"what" json NOT NULL,
	"due" bigint NOT NULL,
	"attempt" integer DEFAULT 0 NOT NULL,
	"held_until" bigint DEFAULT 0 NOT NULL,
	"enqueued_at" bigint DEFAULT brevet_now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "agents" ADD CONSTRAINT "agents_owner_persons_name_fk" FOREIGN KEY ("owner") REFERENCES "public"."persons"("name") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "agents" ADD CONSTRAINT "agents_deputy_persons_name_fk" FOREIGN KEY ("deputy") REFERENCES "public"."persons"("name") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "assignments" ADD CONSTRAINT "assignments_reviewer_persons_name_fk" FOREIGN KEY ("reviewer") REFERENCES "public"."persons"("name") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "assignments" ADD CONSTRAINT "assignments_one_function" FOREIGN KEY ("tenant","holder_kind","holder","function") REFERENCES "public"."memberships"("tenant","holder_kind","holder","function") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "deployment" ADD CONSTRAINT "deployment_policy_policies_version_fk" FOREIGN KEY ("policy") REFERENCES "public"."policies"("version") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "enrolments" ADD CONSTRAINT "enrolments_tenant_tenants_name_fk" FOREIGN KEY ("tenant") REFERENCES "public"."tenants"("name") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "enrolments" ADD CONSTRAINT "enrolments_agent_agents_name_fk" FOREIGN KEY ("agent") REFERENCES "public"."agents"("name") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "enrolments" ADD CONSTRAINT "enrolments_issuer_issuers_name_fk" FOREIGN KEY ("issuer") REFERENCES "public"."issuers"("name") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "operators" ADD CONSTRAINT "operators_person_persons_name_fk" FOREIGN KEY ("person") REFERENCES "public"."persons"("name") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "signing_keys" ADD CONSTRAINT "signing_keys_tenant_tenants_name_fk" FOREIGN KEY ("tenant") REFERENCES "public"."tenants"("name") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "target_audiences" ADD CONSTRAINT "target_audiences_tenant_tenants_name_fk" FOREIGN KEY ("tenant") REFERENCES "public"."tenants"("name") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "target_versions" ADD CONSTRAINT "target_versions_tenant_name_targets_tenant_name_fk" FOREIGN KEY ("tenant","name") REFERENCES "public"."targets"("tenant","name") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "targets" ADD CONSTRAINT "targets_tenant_tenants_name_fk" FOREIGN KEY ("tenant") REFERENCES "public"."tenants"("name") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "targets" ADD CONSTRAINT "targets_audience" FOREIGN KEY ("audience","tenant") REFERENCES "public"."target_audiences"("audience","tenant") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "assertions_until" ON "assertions" USING btree ("until");--> statement-breakpoint
CREATE INDEX "assignments_role" ON "assignments" USING btree ("role");--> statement-breakpoint
CREATE INDEX "enrolments_thumbprint" ON "enrolments" USING btree ("thumbprint");--> statement-breakpoint
CREATE INDEX "enrolments_issuer" ON "enrolments" USING btree ("issuer");--> statement-breakpoint
CREATE INDEX "entries_request" ON "entries" USING btree ("tenant","request") WHERE request is not null;--> statement-breakpoint
CREATE INDEX "entries_lease" ON "entries" USING btree ("tenant","lease") WHERE lease is not null;--> statement-breakpoint
CREATE INDEX "idempotency_at" ON "idempotency" USING btree ("at");--> statement-breakpoint
CREATE UNIQUE INDEX "issuers_url" ON "issuers" USING btree ("url") WHERE not retired;--> statement-breakpoint
CREATE INDEX "leases_live" ON "leases" USING btree ("expires_at") WHERE state in ('opening', 'active');--> statement-breakpoint
CREATE INDEX "memberships_holder" ON "memberships" USING btree ("holder_kind","holder");--> statement-breakpoint
CREATE UNIQUE INDEX "operators_subject" ON "operators" USING btree ("issuer","subject") WHERE not retired;--> statement-breakpoint
CREATE INDEX "work_due" ON "work" USING btree ("due");