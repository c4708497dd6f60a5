/** A form that a passkey signs: what the authenticator is asked, and what is read of its answer. */
import { html } from 'hono/html';
import { base64url } from 'jose';
import { hmacSha256, utf8 } from '../core/digest.ts';
import { failure } from '../core/failure.ts';
import type { PersonName } from '../core/ids.ts';
import type { Passkey, StoredAssertion } from '../core/passkey.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import { challengeOf } from '../core/statement.ts';
import type { Statement } from '../core/statement.ts';
import { after, seconds } from '../core/time.ts';
import {
  parseAssertion,
  parseAttestation,
  PASSKEY_ALGORITHMS,
  relyingParty,
  verifyAssertion,
} from '../authenticate/passkey.ts';
import type { Attestation, Signed } from '../authenticate/passkey.ts';
import { sealTicket } from '../authenticate/ticket.ts';
import type { Ticket } from '../authenticate/ticket.ts';
import { tokenField } from './form-token.ts';
import type { Markup } from './layout.ts';
import type { Form, Visit } from './visit.ts';

/** A page may be read, and gone back to, before it is signed. */
const FORM_LASTS = seconds(10 * 60);
/** @see WebAuthn Level 3 section 15.1: what browsers wait where they follow the recommendation */
const TIMEOUT_MS = 300_000;

/** Of this page, for this session. */
export const newTicket = ({ deps, bound }: Visit, statement: Statement): Ticket => ({
  session: bound,
  statement,
  until: after(deps.clock(), FORM_LASTS),
});

interface Signing {
  readonly ticket: Ticket;
  readonly action: string;
  /** Beside the button. */
  readonly fields?: Markup | '';
  readonly button: string;
  /** How much the button stands out: the one thing to do, one of several, or one that takes away. */
  readonly as?: 'main' | 'plain' | 'danger';
}

/** @param keys those that may answer; none: any of this deployment that the authenticator knows of. */
export const signingForm = (visit: Visit, keys: readonly Passkey[], signing: Signing): Markup =>
  passkeyForm(visit, signing, 'get', {
    challenge: challengeOf(signing.ticket.statement),
    rpId: relyingParty(visit.deps).id,
    allowCredentials: keys.map(described),
    userVerification: 'required',
    timeout: TIMEOUT_MS,
  });

export interface Enrolling extends Signing {
  readonly person: PersonName;
  readonly displayName: string;
}

export function enrollingForm(visit: Visit, enrolling: Enrolling): Markup {
  const { deps, deployment } = visit;
  const { person, displayName } = enrolling;
  const theirs = [...deployment.passkeys.values()].filter((one) => one.person === person);
  const handle = hmacSha256(deps.keyring.derive('passkey user'), utf8(person));
  return passkeyForm(visit, enrolling, 'create', {
    challenge: challengeOf(enrolling.ticket.statement),
    rp: { id: relyingParty(deps).id, name: 'Brevet' },
    user: { id: base64url.encode(handle), name: person, displayName },
    pubKeyCredParams: PASSKEY_ALGORITHMS.map((alg) => ({ type: 'public-key', alg })),
    excludeCredentials: theirs.map(described),
    authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
    attestation: 'none',
    timeout: TIMEOUT_MS,
  });
}

const described = ({ id, transports }: Passkey) => ({ type: 'public-key', id, transports });

function passkeyForm(
  visit: Visit,
  { ticket, action, fields = '', button, as = 'main' }: Signing,
  ask: 'get' | 'create',
  options: object,
): Markup {
  return html`<form
    class="signing"
    method="post"
    action="${action}"
    data-passkey="${ask}"
    data-options="${JSON.stringify(options)}"
  >
    ${tokenField(visit)}<input type="hidden" name="ticket" value="${sealTicket(visit.deps, ticket)}" /><input
      type="hidden"
      name="answer"
    />
    ${fields}
    <button class="${as}">${button}</button>
    <p class="told" role="alert" data-tells></p>
    <noscript><p class="told">Passkeys need scripts: turn them on for this page.</p></noscript>
  </form>`;
}

const NO_ANSWER = failure('passkey_refused', 'the form came without an answer of a passkey', {
  hint: 'Open the page again, with scripts turned on.',
});

function answerIn(form: Form): Result<unknown> {
  try {
    return ok(JSON.parse(form.get('answer') ?? ''));
  } catch (error) {
    if (error instanceof SyntaxError) return err(NO_ANSWER);
    throw error;
  }
}

export function assertionIn(form: Form): Result<StoredAssertion> {
  const answer = answerIn(form);
  return answer.ok ? parseAssertion(answer.value) : answer;
}

export function attestationIn(form: Form): Result<Attestation> {
  const answer = answerIn(form);
  return answer.ok ? parseAttestation(answer.value) : answer;
}

/** The signature that came with a form, over what its ticket says and by one of the passkeys of this deployment. */
export async function signatureIn<Of extends Statement>(
  { deps, deployment }: Visit,
  form: Form,
  statement: Of,
): Promise<Result<Signed<Of>>> {
  const assertion = assertionIn(form);
  if (!assertion.ok) return assertion;
  const passkey = deployment.passkeys.get(assertion.value.credential);
  if (passkey === undefined) return err(NO_PASSKEY);
  const signed = await verifyAssertion(deps, { statement, assertion: assertion.value, passkey });
  if (signed.ok) return ok(signed.value);
  deps.log.info('console.signature_refused', { why: signed.error.why });
  return err(signed.error.failure);
}

const NO_PASSKEY = failure('passkey_refused', 'The passkey’s answer was not accepted', {
  hint: 'Answer with a passkey of your own that is confirmed.',
});
