/** Beside those at every console: nina, who oversees birch and nothing else; and credentials to look at. */
import { must } from '../support/app.ts';
import type { TestApp } from '../support/app.ts';
import type { Authenticator } from '../support/authenticator.ts';
import { givePasskey } from '../support/console.ts';

export async function addNina(app: TestApp): Promise<Authenticator> {
  must(await app.operator('ada', 'PUT', '/api/people/nina', { display_name: 'Nina' }));
  must(await app.operator('ada', 'PUT', '/api/operators/nina', { person: 'nina' }));
  const holding = { tenant: 'birch', holder: { person: 'nina' }, role: 'overseer' };
  must(await app.operator('ada', 'POST', '/api/assignments', holding));
  return givePasskey(app, 'nina');
}

/** @returns its id. */
export async function leaseAt(app: TestApp, tenant: 'acme' | 'birch', resource = 'tickets'): Promise<string> {
  const agent = tenant === 'acme' ? 'triage-bot' : 'birch-bot';
  const body = {
    task: 'ticket.route',
    resource,
    parameters: { ticket: 'ACME-1', queue: 'network' },
    reason: 'A <b>ticket</b> came in',
  };
  const answer = must(
    await app.call('POST', `/t/${tenant}/requests`, { token: await app.session(agent, tenant), body }),
  );
  return (answer.body['lease'] as { readonly id: string }).id;
}
