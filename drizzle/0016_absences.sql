CREATE TABLE "absences" (
	"person" text PRIMARY KEY NOT NULL,
	"from" bigint NOT NULL,
	"until" bigint NOT NULL,
	"by" text NOT NULL,
	CONSTRAINT "absences_end" CHECK ("absences"."from" < "absences"."until")
);
--> statement-breakpoint
ALTER TABLE "absences" ADD CONSTRAINT "absences_person_persons_name_fk" FOREIGN KEY ("person") REFERENCES "public"."persons"("name") ON DELETE no action ON UPDATE no action;
--> statement-breakpoint
-- When people are away stands above tenants, as they do.
GRANT SELECT, INSERT, UPDATE, DELETE ON absences TO brevet_serve;
