/**
 * Mail over SMTP. Text alone, to those named and to nobody else, in one message for a notice; over TLS, unless the
 * server is a private one that was allowed.
 * @node-only
 */
import type { Socket } from 'node:net';
import type { Channel, Notice, NoticeLine } from '../core/channel.ts';
import { FetchFailed } from '../core/fetch.ts';
import { isAddress } from '../core/mail-server.ts';
import type { MailServer } from '../core/mail-server.ts';
import { visible } from '../core/visible.ts';

export interface MailOptions {
  readonly server: MailServer;
  /** Guarded: no private address unless it was allowed. */
  readonly connect: (host: string, port: number) => Promise<Socket>;
  /** Whether the host was allowed to be a private one. */
  readonly mayBePrivate: boolean;
}

const SUBJECT = 200;
/** Of one step, and of all of it: a server may be slow at each. */
const TIMEOUT_MS = 10_000;
const WHOLE_MS = 20_000;

export function mailChannel(options: MailOptions): Channel {
  const { from } = options.server;
  return {
    name: 'mail',
    reaches: ({ to }) => to.some(({ address }) => address !== null && isAddress(address)),
    tell: async (notice) => {
      const transport = await transportTo(options);
      const message = { ...mailOf(notice, from), signal: AbortSignal.timeout(WHOLE_MS) };
      const sent = await transport.sendMail(message).catch((fault: unknown) => {
        throw new FetchFailed(`the mail server did not take it: ${codeOf(fault)}`);
      });
      if (sent.accepted.length === 0) throw new FetchFailed('the mail server took it for nobody');
    },
  };
}

/** Loaded with the first mail: most starts send none. */
async function transportTo({ server, connect, mayBePrivate }: MailOptions) {
  const { createTransport } = await import('nodemailer');
  return createTransport({
    host: server.host,
    port: server.port,
    secure: server.secure,
    requireTLS: !mayBePrivate,
    connectionTimeout: TIMEOUT_MS,
    greetingTimeout: TIMEOUT_MS,
    socketTimeout: TIMEOUT_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
    ...(server.auth === null ? {} : { auth: { user: server.auth.user, pass: server.auth.pass.reveal() } }),
    getSocket: (_options, give) => {
      connect(server.host, server.port).then(
        (connection) => give(null, { connection }),
        (fault: unknown) => give(fault instanceof Error ? fault : new Error(String(fault)), false),
      );
    },
  });
}

/** What a server answers in words may hold anything, its own name for the user included: its code alone is told. */
function codeOf(fault: unknown): string {
  const { code, responseCode } = (fault ?? {}) as { readonly code?: unknown; readonly responseCode?: unknown };
  const parts = [code, responseCode].filter((part) => typeof part === 'string' || typeof part === 'number');
  return parts.length === 0 ? 'no answer' : parts.join(' ');
}

export function mailOf({ id, subject, lines, link, to, tenant, about }: Notice, from: string) {
  const host = from.slice(from.indexOf('@') + 1);
  const written = to.flatMap(({ name, address }) =>
    address !== null && isAddress(address) ? [{ name: visible(name, SUBJECT), address }] : [],
  );
  return {
    from: { name: 'Brevet', address: from },
    to: written,
    subject: visible(`[${tenant}] ${subject}`, SUBJECT),
    text: [...lines.map(lineOf), ...(link === null ? [] : ['', `Open it in Brevet: ${link}`]), ''].join('\n'),
    messageId: `<${id}@${host}>`,
    ...(about === null ? {} : { references: [`<${about}@${host}>`] }),
    // What answers by itself is not to answer this. @see RFC 3834 section 5
    headers: { 'Auto-Submitted': 'auto-generated' },
  };
}

const lineOf = ({ label, text, words }: NoticeLine): string =>
  words === 'agent' ? `${label}:\n  > ${text}` : `${label}: ${text}`;
