/** People at a console: ada and alan administer the deployment, otto oversees, paula approves; each with a passkey. */
import { must, testApp } from '../support/app.ts';
import type { TestApp } from '../support/app.ts';
import type { Authenticator } from '../support/authenticator.ts';
import { givePasskey } from '../support/console.ts';

export interface ConsoleApp {
  readonly app: TestApp;
  readonly keys: Readonly<Record<'ada' | 'alan' | 'otto' | 'paula', Authenticator>>;
}

export async function consoleApp(options: Parameters<typeof testApp>[0] = {}): Promise<ConsoleApp> {
  const app = await testApp(options);
  await addPeople(app);
  const keys = {
    ada: await givePasskey(app, 'ada'),
    alan: await givePasskey(app, 'alan'),
    otto: await givePasskey(app, 'otto'),
    paula: await givePasskey(app, 'paula'),
  };
  return { app, keys };
}

export async function addPeople(app: TestApp): Promise<void> {
  must(await app.operator('ada', 'PUT', '/api/people/alan', { display_name: 'Alan' }));
  for (const name of ['alan', 'paula'])
    must(await app.operator('ada', 'PUT', `/api/operators/${name}`, { person: name }));
  const assigned = { tenant: null, holder: { person: 'alan' }, role: 'administrator' };
  must(await app.operator('ada', 'POST', '/api/assignments', assigned));
}

/** Entries of the deployment's ledger of one kind, as they stand in the leaf. */
export async function entriesOf(app: TestApp, kind: string): Promise<readonly Record<string, unknown>[]> {
  const rows = await app.sql<{ text: string }>(
    `select text from entries where tenant = '' and kind = '${kind}' order by at, id`,
  );
  return rows.map(({ text }) => JSON.parse(text) as Record<string, unknown>);
}
