/**
 * What every page tells the browser to refuse. `same-origin` as referrer policy tells nobody else where one came from;
 * with `no-referrer` browsers would not say the origin of our own forms either, and that is looked at.
 *
 * @see Content Security Policy Level 3; Fetch, "append a request Origin header"
 */
import type { Context } from 'hono';
import type { Scope } from '../http/scope.ts';

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join('; ');

const HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': POLICY,
  'x-frame-options': 'DENY',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'publickey-credentials-get=(self), publickey-credentials-create=(self)',
  'cache-control': 'no-store',
};

/** Two years. @see RFC 6797 section 6.1.1 */
const ONLY_TLS = 'max-age=63072000';

export function secure(c: Context<Scope>): void {
  for (const [name, value] of Object.entries(HEADERS)) c.header(name, value);
  if (c.var.deps.publicUrl.startsWith('https:')) c.header('strict-transport-security', ONLY_TLS);
}
