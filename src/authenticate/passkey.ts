/**
 * Passkeys: what an authenticator answers becomes a signed statement, or a new passkey. Who holds a `Signed` knows that
 * this person's key said exactly this, here, with their finger or their PIN. Only this file makes one.
 *
 * @see WebAuthn Level 3 sections 7.1 and 7.2
 */
import { base64url } from 'jose';
import { z } from 'zod';
import { failure } from '../core/failure.ts';
import { parseWith } from '../core/parse.ts';
import type { Passkey, StoredAssertion } from '../core/passkey.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import { challengeOf } from '../core/statement.ts';
import type { EnrolStatement, Statement } from '../core/statement.ts';
import type { Deps } from '../deps.ts';
import type { Proven } from './auth-failure.ts';

/** A quarter of all modules that a node could load, needed when somebody signs in or approves: not at its start. */
const webAuthn = () => import('@simplewebauthn/server');

/** What a passkey is bound to: this deployment's name and nothing else. */
export interface RelyingParty {
  readonly id: string;
  readonly origin: string;
}

export function relyingParty({ publicUrl }: Pick<Deps, 'publicUrl'>): RelyingParty {
  const { hostname, origin } = new URL(publicUrl);
  return { id: hostname, origin };
}

/** A credential's id has 1,023 bytes at the most. @see WebAuthn Level 3 section 4, Credential ID */
const LONGEST_ID = 1364;
/** An RSA signature or an attestation with its certificates is well below. */
const LONGEST_PART = 16_384;

const binary = (longest: number) =>
  z
    .string()
    .regex(/^[A-Za-z0-9_-]+$/)
    .max(longest);
const transports = z.array(z.string().regex(/^[a-z-]{1,20}$/)).max(8);

const assertionForm = z.strictObject({
  credential: binary(LONGEST_ID),
  clientDataJSON: binary(LONGEST_PART),
  authenticatorData: binary(LONGEST_PART),
  signature: binary(LONGEST_PART),
});

const attestationForm = z.strictObject({
  credential: binary(LONGEST_ID),
  clientDataJSON: binary(LONGEST_PART),
  attestationObject: binary(LONGEST_PART),
  transports,
});

/** What an authenticator answered to being enrolled. */
export type Attestation = z.infer<typeof attestationForm>;

export const parseAssertion = (input: unknown): Result<StoredAssertion> => parseWith(assertionForm, input);
export const parseAttestation = (input: unknown): Result<Attestation> => parseWith(attestationForm, input);

/** A statement, and the proof that this passkey's holder made it. */
export interface Signed<Of extends Statement> {
  readonly statement: Of;
  readonly assertion: StoredAssertion;
  readonly passkey: Passkey;
  /** The passkey's count after it: to be kept. */
  readonly signCount: number;
}

/** @param passkey of the credential that answered, as the register has it now. */
export async function verifyAssertion<Of extends Statement>(
  deps: Pick<Deps, 'publicUrl'>,
  {
    statement,
    assertion,
    passkey,
  }: { readonly statement: Of; readonly assertion: StoredAssertion; readonly passkey: Passkey },
): Promise<Proven<Signed<Of>>> {
  if (passkey.confirmedBy === null) return refused('a passkey that nobody has confirmed');
  if (assertion.credential !== passkey.id) return refused('another credential than the passkey');
  if (signerOf(statement) !== null && signerOf(statement) !== passkey.person)
    return refused('another person’s passkey');
  if (isFramed(assertion.clientDataJSON)) return refused('made inside a page of another origin');
  const { id: expectedRPID, origin: expectedOrigin } = relyingParty(deps);
  const { credential: id, ...response } = assertion;
  const answer = { id, rawId: id, type: 'public-key', clientExtensionResults: {}, response } as const;
  const key = { id, publicKey: new Uint8Array(base64url.decode(passkey.publicKey)), counter: passkey.signCount };
  const expected = { expectedChallenge: challengeOf(statement), expectedOrigin, expectedRPID };
  const { verifyAuthenticationResponse } = await webAuthn();
  const verified = await unlessThrown(() =>
    verifyAuthenticationResponse({ ...expected, response: answer, credential: key, requireUserVerification: true }),
  );
  if (!verified.ok) return refused(verified.error);
  if (!verified.value.verified) return refused('not signed by this passkey');
  return ok({ statement, assertion, passkey, signCount: verified.value.authenticationInfo.newCounter });
}

/** Whose word a statement is; `null` where the passkey itself says who it is. */
function signerOf(statement: Statement): string | null {
  switch (statement.purpose) {
    case 'approve':
    case 'narrow':
    case 'reject':
    case 'confirm':
    case 'activate':
    case 'lift':
      return statement.approver;
    case 'enrol':
      return statement.person;
    case 'sign_in':
      return null;
  }
}

/** What of a new passkey the authenticator says. */
export type EnrolledKey = Pick<
  Passkey,
  'id' | 'person' | 'publicKey' | 'signCount' | 'deviceBound' | 'aaguid' | 'transports'
>;

export async function verifyEnrolment(
  deps: Pick<Deps, 'publicUrl'>,
  { statement, attestation }: { readonly statement: EnrolStatement; readonly attestation: Attestation },
): Promise<Proven<EnrolledKey>> {
  if (isFramed(attestation.clientDataJSON)) return refused('made inside a page of another origin');
  const { id: expectedRPID, origin: expectedOrigin } = relyingParty(deps);
  const { credential: id, transports: reached, ...parts } = attestation;
  const response = { id, rawId: id, type: 'public-key', clientExtensionResults: {}, response: parts } as const;
  const expected = { expectedChallenge: challengeOf(statement), expectedOrigin, expectedRPID };
  const { verifyRegistrationResponse } = await webAuthn();
  const verified = await unlessThrown(() =>
    verifyRegistrationResponse({
      ...expected,
      response,
      requireUserVerification: true,
      supportedAlgorithmIDs: [...PASSKEY_ALGORITHMS],
    }),
  );
  if (!verified.ok) return refused(verified.error);
  if (!verified.value.verified) return refused('an attestation that does not verify');
  const { credential, credentialDeviceType, aaguid } = verified.value.registrationInfo;
  if (credential.id !== id) return refused('another credential than it says');
  return ok({
    id,
    person: statement.person,
    publicKey: base64url.encode(credential.publicKey),
    signCount: credential.counter,
    deviceBound: credentialDeviceType === 'singleDevice',
    aaguid,
    transports: reached,
  });
}

/** EdDSA, ES256 and RS256: what every authenticator of today has one of. @see the COSE Algorithms registry of IANA */
export const PASSKEY_ALGORITHMS = [-8, -7, -257] as const;

/** The library lets an embedded page pass where the browser does not name the page around it. */
function isFramed(clientDataJSON: string): boolean {
  try {
    const said: unknown = JSON.parse(new TextDecoder().decode(base64url.decode(clientDataJSON)));
    return typeof said !== 'object' || said === null || ('crossOrigin' in said && said.crossOrigin !== false);
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return true;
    throw error;
  }
}

/** The library throws plain errors for whatever does not verify; their words hold parts of what was presented. */
async function unlessThrown<T>(verify: () => Promise<T>): Promise<Result<T, string>> {
  try {
    return ok(await verify());
  } catch (error) {
    if (error instanceof Error) return err('not what was asked for, or not from here');
    throw error;
  }
}

const REFUSED = failure('passkey_refused', 'The passkey’s answer was not accepted', {
  hint: 'Open the page again, and answer with a passkey of your own that is confirmed.',
});

const refused = (why: string): Proven<never> => err({ failure: REFUSED, why });
