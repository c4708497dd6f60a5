/** A session token, for the calls that the demo makes by hand. */
import { ASSERTION_TYPE, createProver } from '../../client/assertion.ts';
import type { PrivateJwk } from '../../client/assertion.ts';
import { instant } from '../../core/time.ts';
import { random } from '../../node/parts.ts';
import { DemoFailed } from './story.ts';

export async function agentSession(url: string, publicUrl: string, agent: string, key: PrivateJwk): Promise<string> {
  const clock = () => instant(Date.now());
  const prove = createProver(agent, `${publicUrl}/t/acme`, { key }, { clock, random });
  const form = {
    grant_type: 'client_credentials',
    client_assertion_type: ASSERTION_TYPE,
    client_assertion: await prove(),
  };
  const response = await fetch(`${url}/t/acme/token`, { method: 'POST', body: new URLSearchParams(form) });
  const body = (await response.json()) as { readonly access_token?: string };
  if (body.access_token === undefined) throw new DemoFailed(`no session: ${JSON.stringify(body)}`);
  return body.access_token;
}
