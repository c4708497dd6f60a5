CREATE TABLE "console_sessions" (
	"id" text PRIMARY KEY NOT NULL,
	"person" text NOT NULL,
	"operator" text NOT NULL,
	"by" text NOT NULL,
	"passkey" text,
	"signed_in_at" bigint NOT NULL,
	"proven_at" bigint,
	"idle_until" bigint NOT NULL,
	"until" bigint NOT NULL,
	CONSTRAINT "console_sessions_by" CHECK (("console_sessions"."by" = 'passkey') = ("console_sessions"."passkey" is not null))
);
--> statement-breakpoint
CREATE TABLE "passkeys" (
	"id" text PRIMARY KEY NOT NULL,
	"person" text NOT NULL,
	"public_key" text NOT NULL,
	"sign_count" bigint NOT NULL,
	"device_bound" boolean NOT NULL,
	"aaguid" text NOT NULL,
	"label" text NOT NULL,
	"transports" text[] NOT NULL,
	"enrolled_at" bigint NOT NULL,
	"confirmed_by" text NOT NULL,
	"in_setup" boolean NOT NULL,
	CONSTRAINT "passkeys_take_two" CHECK ("passkeys"."in_setup" or "passkeys"."confirmed_by" <> "passkeys"."person")
);
--> statement-breakpoint
ALTER TABLE "console_sessions" ADD CONSTRAINT "console_sessions_person_persons_name_fk" FOREIGN KEY ("person") REFERENCES "public"."persons"("name") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "console_sessions" ADD CONSTRAINT "console_sessions_operator_operators_name_fk" FOREIGN KEY ("operator") REFERENCES "public"."operators"("name") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "console_sessions" ADD CONSTRAINT "console_sessions_passkey_passkeys_id_fk" FOREIGN KEY ("passkey") REFERENCES "public"."passkeys"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "passkeys" ADD CONSTRAINT "passkeys_person_persons_name_fk" FOREIGN KEY ("person") REFERENCES "public"."persons"("name") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "console_sessions_of" ON "console_sessions" USING btree ("person");--> statement-breakpoint
CREATE INDEX "passkeys_of" ON "passkeys" USING btree ("person");--> statement-breakpoint
-- They stand above tenants, as people do. A count goes on, a session is used; whatever else changes is another row.
GRANT SELECT, INSERT, DELETE ON console_sessions, passkeys TO brevet_serve;
--> statement-breakpoint
GRANT UPDATE (idle_until) ON console_sessions TO brevet_serve;
--> statement-breakpoint
GRANT UPDATE (sign_count) ON passkeys TO brevet_serve;
