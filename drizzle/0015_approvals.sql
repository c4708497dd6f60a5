CREATE TABLE "asks" (
	"person" text NOT NULL,
	"tenant" text NOT NULL,
	"approval" text NOT NULL,
	"due" bigint NOT NULL,
	CONSTRAINT "asks_person_due_tenant_approval_pk" PRIMARY KEY("person","due","tenant","approval")
);
--> statement-breakpoint
ALTER TABLE "approvals" DROP CONSTRAINT "approvals_request";--> statement-breakpoint
ALTER TABLE "approvals" ADD COLUMN "terms" json DEFAULT '{}'::json NOT NULL;--> statement-breakpoint
ALTER TABLE "approvals" ADD COLUMN "version" integer DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE "approvals" ADD COLUMN "step" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "approvals" ADD COLUMN "step_ends_at" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "approvals" ADD COLUMN "votes" json DEFAULT '[]'::json NOT NULL;--> statement-breakpoint
ALTER TABLE "approvals" ADD COLUMN "accepted_at" bigint;--> statement-breakpoint
ALTER TABLE "approvals" ADD COLUMN "decided_at" bigint;--> statement-breakpoint
ALTER TABLE "approvals" ADD COLUMN "redeem_by" bigint;--> statement-breakpoint
ALTER TABLE "approvals" ADD COLUMN "rejection" json;--> statement-breakpoint
ALTER TABLE "approvals" ADD COLUMN "lease" text;--> statement-breakpoint
CREATE INDEX "asks_approval" ON "asks" USING btree ("tenant","approval");--> statement-breakpoint
CREATE UNIQUE INDEX "approvals_request" ON "approvals" USING btree ("tenant","request") WHERE state <> 'superseded';--> statement-breakpoint
CREATE INDEX "requests_asked" ON "requests" USING btree ("tenant","task","id") WHERE effect = 'ask';
--> statement-breakpoint
-- What was asked before people could answer was never answered: it is over, and says of itself no more than it did.
UPDATE approvals SET state = 'expired' WHERE state = 'pending';
--> statement-breakpoint
ALTER TABLE approvals ALTER COLUMN terms DROP DEFAULT, ALTER COLUMN step_ends_at DROP DEFAULT;
--> statement-breakpoint
-- What was decided when it was asked does not change, and no approval is ever deleted.
REVOKE UPDATE ON approvals FROM brevet_serve;
--> statement-breakpoint
GRANT UPDATE (state, version, step, step_ends_at, votes, accepted_at, decided_at, redeem_by, rejection, lease)
  ON approvals TO brevet_serve;
--> statement-breakpoint
-- A redemption says which lease came of its request.
GRANT UPDATE (lease) ON requests TO brevet_serve;
--> statement-breakpoint
GRANT SELECT, INSERT, DELETE ON asks TO brevet_serve;
--> statement-breakpoint
GRANT SELECT ON asks TO brevet_list;
--> statement-breakpoint
ALTER TABLE asks ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE asks FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY named_tenants ON asks USING (tenant = ANY ((SELECT string_to_array(
  current_setting('brevet.tenants', true), ','))::text[]));
--> statement-breakpoint
CREATE POLICY listed ON asks FOR SELECT TO brevet_list USING (true);
--> statement-breakpoint
-- The states of an approval, and no other way (APPROVAL_MOVES in src/core/approval.ts). No word is taken back: votes
-- are only ever added to, and nothing is approved, or rejected, without one.
CREATE FUNCTION refuse_approval_move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.version <= OLD.version THEN
    RAISE EXCEPTION 'an approval changed without its version' USING ERRCODE = 'BV005';
  END IF;
  IF OLD.state <> NEW.state AND (OLD.state, NEW.state) NOT IN (('pending', 'approved'), ('pending', 'rejected'),
    ('pending', 'expired'), ('pending', 'cancelled'), ('pending', 'superseded'), ('approved', 'redeemed'),
    ('approved', 'expired'), ('approved', 'revoked'), ('redeemed', 'approved'))
  THEN
    RAISE EXCEPTION 'an approval does not move from % to %', OLD.state, NEW.state USING ERRCODE = 'BV005';
  END IF;
  IF json_array_length(NEW.votes) < json_array_length(OLD.votes)
    OR (OLD.state = 'pending' AND NEW.state IN ('approved', 'rejected') AND json_array_length(NEW.votes) = 0)
  THEN
    RAISE EXCEPTION 'no word of a person stands behind it' USING ERRCODE = 'BV005';
  END IF;
  RETURN NEW;
END $$;
--> statement-breakpoint
ALTER TABLE approvals ADD CONSTRAINT approvals_known CHECK (state IN ('pending', 'approved', 'rejected', 'expired',
  'cancelled', 'superseded', 'redeemed', 'revoked'));
--> statement-breakpoint
CREATE TRIGGER approvals_move BEFORE UPDATE ON approvals
FOR EACH ROW EXECUTE FUNCTION refuse_approval_move();
