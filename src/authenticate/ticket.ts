/**
 * Tickets: what a form is about, sealed and given along with it, so that the broker keeps nothing between showing the
 * form and its being signed. A ticket is good for its own session alone, until its end; its nonce is spent in the
 * commit of what it was for.
 */
import { base64url } from 'jose';
import type { OneUse } from '../core/change/once.ts';
import { equalInConstantTime, hmacSha256, utf8 } from '../core/digest.ts';
import { failure } from '../core/failure.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import type { Statement } from '../core/statement.ts';
import type { Instant } from '../core/time.ts';
import type { Deps } from '../deps.ts';

export interface Ticket {
  /** The id of the session that was shown the form. */
  readonly session: string;
  readonly statement: Statement;
  readonly until: Instant;
}

/** Opaque to whoever carries it, though not secret: it says what the form says. */
export function sealTicket(deps: Pick<Deps, 'keyring'>, { session, statement, until }: Ticket): string {
  const body = base64url.encode(JSON.stringify({ statement, until }));
  return `${body}.${tagOf(deps, session, body)}`;
}

export function openTicket(deps: Pick<Deps, 'keyring' | 'clock'>, text: string, session: string): Result<Ticket> {
  const [body = '', tag = '', ...more] = text.split('.');
  // Nothing of it is read that is not ours.
  if (more.length > 0 || !equalInConstantTime(utf8(tag), utf8(tagOf(deps, session, body)))) return err(NOT_OURS);
  const { statement, until } = JSON.parse(new TextDecoder().decode(base64url.decode(body))) as Omit<Ticket, 'session'>;
  return deps.clock() < until ? ok({ session, statement, until }) : err(LATE);
}

/** Its nonce, to be spent in the commit. */
export const oneUseOf = ({ session, statement, until }: Ticket): OneUse => ({
  client: `console:${session}`,
  jti: statement.nonce,
  until,
});

const NOT_OURS = failure('form_over', 'this form was not made for this session', { hint: 'Open the page again.' });
const LATE = failure('form_over', 'this form was open for too long', { hint: 'Open the page again.' });

const tagOf = ({ keyring }: Pick<Deps, 'keyring'>, session: string, body: string): string =>
  base64url.encode(hmacSha256(keyring.derive('ticket'), utf8(JSON.stringify([session, body]))));
