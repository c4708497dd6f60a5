/** Audiences as places: however one is written, it is the same API to whoever takes its tokens. */
import { isLoopback } from './loopback.ts';

/** @see RFC 3986 section 2.3 */
const UNRESERVED = /%(?:2D|2E|5F|7E|3[0-9]|[46][1-9A-F]|[57][0-9A])/gi;

const hostOf = ({ hostname }: URL): string => hostname.replace(/\.$/, '');

/**
 * What an audience is told apart by: without the case and the last dot of its host, its scheme's own port, characters
 * that need no escape, and a slash at its end.
 * @param audience an absolute URI.
 * @see RFC 3986 section 6.2
 */
export function audienceKey(audience: string): string {
  const url = new URL(audience);
  const path = url.pathname.replace(UNRESERVED, (escape) => decodeURIComponent(escape)).replace(/\/+$/, '');
  const port = url.port === '' ? '' : `:${url.port}`;
  return url.host === '' ? `${url.protocol}${path}` : `${url.protocol}//${hostOf(url)}${port}${path}${url.search}`;
}

/** The port that a connection goes to; where the scheme has none of its own, as it stands. */
const portOf = ({ port, protocol }: URL): string => port || ({ 'http:': '80', 'https:': '443' }[protocol] ?? '');

/** Whether a URL leads to the server of another, by whatever scheme or name of this machine. */
export function isAtSameServer(url: string, other: string): boolean {
  const [one, two] = [new URL(url), new URL(other)];
  const sameHost = hostOf(one) === hostOf(two) || (isLoopback(hostOf(one)) && isLoopback(hostOf(two)));
  return sameHost && (portOf(one) === portOf(two) || (one.port === '' && two.port === ''));
}
