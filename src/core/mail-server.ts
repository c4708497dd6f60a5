/** A mail server, as one URL says it: `smtps://user:password@mail.msp.example/?from=brevet@msp.example`. */
import { Secret } from './secret.ts';

export interface MailServer {
  readonly host: string;
  readonly port: number;
  /** TLS from the first byte; otherwise by STARTTLS. */
  readonly secure: boolean;
  readonly auth: { readonly user: string; readonly pass: Secret } | null;
  readonly from: string;
}

const SMTP_PORT = 587;
const SMTPS_PORT = 465;
/** Nothing that a header or an SMTP command could read otherwise. */
const ADDRESS = /^[^\s@<>,;:"()[\]\\\p{Cc}]+@[^\s@<>,;:"()[\]\\\p{Cc}]+$/u;

export const isAddress = (text: string): boolean => ADDRESS.test(text);

/** @param sender where the URL names none. @returns `null` for what is no such URL. */
export function mailServerOf(url: Secret, sender: string): MailServer | null {
  const parsed = URL.parse(url.reveal());
  if (parsed === null || !['smtp:', 'smtps:'].includes(parsed.protocol) || parsed.hostname === '') return null;
  const secure = parsed.protocol === 'smtps:';
  const from = parsed.searchParams.get('from') ?? sender;
  const [user, pass] = [decoded(parsed.username), decoded(parsed.password)];
  if (!isAddress(from) || user === null || pass === null) return null;
  return {
    host: parsed.hostname.replace(/^\[|\]$/g, ''),
    port: parsed.port === '' ? (secure ? SMTPS_PORT : SMTP_PORT) : Number(parsed.port),
    secure,
    auth: user === '' ? null : { user, pass: new Secret(pass) },
    from,
  };
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch (fault) {
    if (fault instanceof URIError) return null;
    throw fault;
  }
}
