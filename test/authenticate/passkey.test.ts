/** Which answers of an authenticator are taken. The keys and signatures are real. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseAssertion, parseAttestation, verifyAssertion, verifyEnrolment } from '../../src/authenticate/passkey.ts';
import type { ApprovalId, BlockId, PersonName, TenantName } from '../../src/core/ids.ts';
import type { Passkey } from '../../src/core/passkey.ts';
import type { Statement } from '../../src/core/statement.ts';
import { Authenticator } from '../support/authenticator.ts';
import type { Lies } from '../support/authenticator.ts';

const PUBLIC_URL = 'https://brevet.example';
const deps = { publicUrl: PUBLIC_URL };
const PAULA = 'paula' as PersonName;

const APPROVE = {
  purpose: 'approve',
  verdict: 'approved',
  approval_id: 'apr_1' as ApprovalId,
  approver: PAULA,
  tenant: 'acme' as TenantName,
  package_hash: 'ab'.repeat(32),
  nonce: 'n',
} as const;

/** @returns why not, or `signed`. */
async function outcome(
  asked: Statement,
  given: { readonly signs?: Statement; readonly lies?: Lies; readonly passkey?: Partial<Passkey> } = {},
): Promise<string> {
  const key = new Authenticator(PUBLIC_URL);
  const assertion = key.sign(given.signs ?? asked, given.lies);
  const passkey = key.passkey('paula', given.passkey);
  const verified = await verifyAssertion(deps, { statement: asked, assertion, passkey });
  if (!verified.ok) assert.is(verified.error.failure.code, 'passkey_refused');
  return verified.ok ? 'signed' : verified.error.why;
}

const NOT_THIS = 'not what was asked for, or not from here';
const signing = suite('a passkey’s word');

signing('is taken for what it signed', async () => {
  assert.is(await outcome(APPROVE), 'signed');
});

signing('comes with its count, to be kept', async () => {
  const key = new Authenticator(PUBLIC_URL);
  key.sign(APPROVE);
  const assertion = key.sign(APPROVE);
  const passkey = key.passkey('paula', { signCount: 1 });
  const verified = await verifyAssertion(deps, { statement: APPROVE, assertion, passkey });
  assert.is(verified.ok && verified.value.signCount, 2);
});

signing('needs no count: a synced passkey has none', async () => {
  const key = new Authenticator(PUBLIC_URL, { synced: true });
  const assertion = key.sign(APPROVE);
  const verified = await verifyAssertion(deps, { statement: APPROVE, assertion, passkey: key.passkey('paula') });
  assert.ok(verified.ok);
});

const OTHERS: Readonly<Record<string, Statement>> = {
  'a no': { ...APPROVE, purpose: 'reject', verdict: 'rejected', reason: 'too_wide', words: null },
  'a narrower answer': { ...APPROVE, purpose: 'narrow', verdict: 'narrowed', narrower: { ttl: 60 } },
  'the lifting of a block': {
    purpose: 'lift',
    block: 'blk_1' as BlockId,
    tenants: [],
    reason: 'over',
    approver: PAULA,
    nonce: 'n',
  },
  'a sign-in': { purpose: 'sign_in', origin: PUBLIC_URL, nonce: 'n' },
  'an enrolment': { purpose: 'enrol', person: PAULA, nonce: 'n' },
  'another package': { ...APPROVE, package_hash: 'cd'.repeat(32) },
  'another tenant': { ...APPROVE, tenant: 'birch' as TenantName },
  'another approval': { ...APPROVE, approval_id: 'apr_2' as ApprovalId },
  'another nonce': { ...APPROVE, nonce: 'm' },
};
for (const [what, signs] of Object.entries(OTHERS)) {
  signing(`on ${what} is no word on this`, async () => assert.is(await outcome(APPROVE, { signs }), NOT_THIS));
}

const LIES: Readonly<Record<string, Lies>> = {
  'another origin': { origin: 'https://evil.example' },
  'the same host without TLS': { origin: 'http://brevet.example' },
  'another port': { origin: 'https://brevet.example:8443' },
  'a name below': { origin: 'https://console.brevet.example' },
  'another relying party': { rpId: 'example' },
  'no user at hand': { userPresent: false },
  'a user who was not verified': { userVerified: false },
  'an enrolment’s type': { type: 'webauthn.create' },
  'a payment’s type': { type: 'payment.get' },
};
for (const [what, lies] of Object.entries(LIES)) {
  signing(`with ${what} is refused`, async () => assert.is(await outcome(APPROVE, { lies }), NOT_THIS));
}

signing('given inside another’s page is refused', async () => {
  assert.is(await outcome(APPROVE, { lies: { crossOrigin: true } }), 'made inside a page of another origin');
});

signing('whose count went back, or stood still, is refused', async () => {
  assert.is(await outcome(APPROVE, { passkey: { signCount: 7 } }), NOT_THIS);
  assert.is(await outcome(APPROVE, { passkey: { signCount: 1 } }), NOT_THIS);
});

signing('is worth nothing before another person has confirmed the passkey', async () => {
  assert.is(await outcome(APPROVE, { passkey: { confirmedBy: null } }), 'a passkey that nobody has confirmed');
});

signing('is its own person’s alone', async () => {
  assert.is(await outcome(APPROVE, { passkey: { person: 'otto' as PersonName } }), 'another person’s passkey');
});

signing('is not another key’s', async () => {
  const paulas = new Authenticator(PUBLIC_URL);
  const ottos = new Authenticator(PUBLIC_URL);
  const passkey = paulas.passkey('paula');
  const as = (credential: string) =>
    verifyAssertion(deps, { statement: APPROVE, assertion: { ...ottos.sign(APPROVE), credential }, passkey });
  const [under, over] = [await as(ottos.id), await as(paulas.id)];
  assert.is(!under.ok && under.error.why, 'another credential than the passkey');
  assert.is(!over.ok && over.error.why, 'not signed by this passkey');
});

signing('that changed in a byte is refused', async () => {
  const key = new Authenticator(PUBLIC_URL);
  const good = key.sign(APPROVE);
  for (const part of ['clientDataJSON', 'authenticatorData', 'signature'] as const) {
    const bytes = Buffer.from(good[part], 'base64url');
    // The frame of a DER signature may be written in more than one way; its numbers may not.
    for (let at = part === 'signature' ? bytes.length - 16 : 0; at < bytes.length; at++) {
      const changed = Buffer.from(bytes);
      changed.writeUInt8(bytes.readUInt8(at) ^ 0x01, at);
      const assertion = { ...good, [part]: changed.toString('base64url') };
      const verified = await verifyAssertion(deps, { statement: APPROVE, assertion, passkey: key.passkey('paula') });
      assert.not.ok(verified.ok, `${part}, byte ${at}`);
    }
  }
});

signing.run();

const enrolling = suite('enrolling a passkey');
const ENROL = { purpose: 'enrol', person: PAULA, nonce: 'n' } as const;

enrolling('gives what its later words are verified with', async () => {
  const key = new Authenticator(PUBLIC_URL);
  const enrolled = await verifyEnrolment(deps, { statement: ENROL, attestation: key.enrol(ENROL) });
  if (!enrolled.ok) throw new Error(enrolled.error.why);
  const { label, enrolledAt, confirmedBy, ...same } = key.passkey('paula');
  assert.equal(enrolled.value, same);
  const passkey = { ...enrolled.value, label, enrolledAt, confirmedBy };
  const signed = await verifyAssertion(deps, { statement: APPROVE, assertion: key.sign(APPROVE), passkey });
  assert.ok(signed.ok);
});

enrolling('says whether the key can leave its device', async () => {
  for (const synced of [false, true]) {
    const attestation = new Authenticator(PUBLIC_URL, { synced }).enrol(ENROL);
    const enrolled = await verifyEnrolment(deps, { statement: ENROL, attestation });
    assert.is(enrolled.ok && enrolled.value.deviceBound, !synced);
  }
});

const WRONG: Readonly<Record<string, Lies>> = {
  'another origin': { origin: 'https://evil.example' },
  'another relying party': { rpId: 'example' },
  'a page around it': { crossOrigin: true },
  'a user who was not verified': { userVerified: false },
  'no user at hand': { userPresent: false },
  'an assertion’s type': { type: 'webauthn.get' },
};
for (const [what, lies] of Object.entries(WRONG)) {
  enrolling(`is refused with ${what}`, async () => {
    const attestation = new Authenticator(PUBLIC_URL).enrol(ENROL, lies);
    assert.not.ok((await verifyEnrolment(deps, { statement: ENROL, attestation })).ok);
  });
}

enrolling('for another person is refused', async () => {
  const attestation = new Authenticator(PUBLIC_URL).enrol({ ...ENROL, person: 'otto' as PersonName });
  assert.not.ok((await verifyEnrolment(deps, { statement: ENROL, attestation })).ok);
});

enrolling('under another credential’s id is refused', async () => {
  const attestation = { ...new Authenticator(PUBLIC_URL).enrol(ENROL), credential: new Authenticator(PUBLIC_URL).id };
  assert.not.ok((await verifyEnrolment(deps, { statement: ENROL, attestation })).ok);
});

enrolling.run();

const forms = suite('an authenticator’s answer');

forms('is read strictly', () => {
  const good = new Authenticator(PUBLIC_URL).sign(APPROVE);
  assert.ok(parseAssertion(good).ok);
  assert.not.ok(parseAssertion({ ...good, userHandle: 'x' }).ok);
  for (const part of Object.keys(good)) {
    for (const wrong of [undefined, 7, '', 'not base64url!', 'a'.repeat(20_000)]) {
      assert.not.ok(parseAssertion({ ...good, [part]: wrong }).ok, `${part}: ${typeof wrong}`);
    }
  }
});

forms('is read strictly where it enrols', () => {
  const good = new Authenticator(PUBLIC_URL).enrol(ENROL);
  assert.ok(parseAttestation(good).ok);
  assert.not.ok(parseAttestation({ ...good, transports: ['<script>'] }).ok);
  assert.not.ok(parseAttestation({ ...good, attestationObject: '' }).ok);
});

forms.run();
