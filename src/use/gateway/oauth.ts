/**
 * A tool that takes no key but a token for it: Brevet asks for one, keeps it in memory until shortly before its end, and
 * shows it to nobody.
 * @see RFC 6749 section 4.4
 */
import { z } from 'zod';
import { utf8 } from '../../core/digest.ts';
import { failure } from '../../core/failure.ts';
import type { Forward } from '../../core/forward.ts';
import { whyNoKey } from '../../core/gateway/target.ts';
import type { HttpTarget } from '../../core/gateway/target.ts';
import { err, ok } from '../../core/result.ts';
import type { Result } from '../../core/result.ts';
import { Secret } from '../../core/secret.ts';
import { readJsonAnswer } from './read.ts';

const LARGEST = 64 * 1024;
/** Where the server does not say how long it lives. */
const USUAL_LIFETIME_S = 60;
/** However long a server says: some give a token for days. */
const LONGEST_LIFETIME_S = 86_400;

const answerForm = z.looseObject({
  access_token: z.string().refine((token) => whyNoKey(token) === null),
  token_type: z.string().regex(/^bearer$/i),
  expires_in: z.coerce
    .number()
    .min(0)
    .transform((lifetime) => Math.min(lifetime, LONGEST_LIFETIME_S))
    .default(USUAL_LIFETIME_S),
});

export async function fetchToken(
  forward: Forward,
  { inject, ca, private: mayBePrivate }: HttpTarget,
  { secret, pool, signal }: { readonly secret: Secret; readonly pool: string; readonly signal: AbortSignal },
): Promise<Result<{ readonly token: Secret; readonly lifetime: number }>> {
  if (inject.by !== 'oauth') throw new Error('a target whose key is no client secret');
  const form = new URLSearchParams({ grant_type: 'client_credentials' });
  if (inject.scope !== undefined) form.set('scope', inject.scope);
  // Both are form-encoded before they are joined. @see RFC 6749 section 2.3.1
  const client = `${encodeURIComponent(inject.client_id)}:${encodeURIComponent(secret.reveal())}`;
  const body = utf8(form.toString());
  const read = await readJsonAnswer(
    forward,
    {
      method: 'POST',
      url: new Secret(inject.token_url),
      headers: {
        accept: 'application/json',
        'accept-encoding': 'identity',
        authorization: new Secret(`Basic ${btoa(client)}`),
        'content-type': 'application/x-www-form-urlencoded',
        'content-length': String(body.length),
      },
      body,
      ca: ca ?? null,
      mayBePrivate,
      pool,
      signal,
    },
    LARGEST,
  );
  const token = read.ok && read.value.status === 200 ? answerForm.safeParse(read.value.json) : null;
  if (token?.success !== true) return err(NO_TOKEN);
  return ok({ token: new Secret(token.data.access_token), lifetime: token.data.expires_in });
}

const NO_TOKEN = failure('gateway_no_answer', 'the tool’s own server gave no token for the key', {
  hint: 'An administrator looks at the target’s client id, scope and secret.',
});
