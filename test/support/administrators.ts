/** A broker past set-up: three administrators with accounts at a real OIDC issuer, and an overseer. */
import { must, testApp } from './app.ts';
import type { Answer, NodeOptions, TestApp, TestNode } from './app.ts';
import { startOidc } from './oidc.ts';

const CLIENT = 'brevet';
/** The issuer's tokens live for ten minutes, and a test's clock may be ahead by some. To get one costs more than most calls. */
const FRESH_FOR_MS = 60_000;

export const ADMINISTRATORS = ['ada', 'alan', 'anna'] as const;
/** Beside them: one who oversees acme and birch, and one who administers acme alone. */
const OTHERS = ['otto', 'tess'] as const;

export interface Administered {
  readonly app: TestApp;
  /** Put together as the first. */
  node(options?: NodeOptions): Promise<TestNode>;
  /** As somebody who has signed in at the issuer, a minute ago at most. */
  as(who: string, method: string, path: string, body?: unknown, node?: Pick<TestNode, 'call'>): Promise<Answer>;
  /** A fresh token of the issuer. */
  token(who: string): Promise<string>;
  close(): Promise<void>;
}

export async function administered(): Promise<Administered> {
  const people = [...ADMINISTRATORS, ...OTHERS];
  // A second account of one person, to be taken for nobody else.
  const accounts = { ...Object.fromEntries(people.map((name) => [name, name])), 'ada-again': 'ada' };
  const oidc = await startOidc(
    Object.fromEntries(Object.keys(accounts).map((name) => [name, { claims: { sub: `${name}-at-idp` } }])),
  );
  const operators = { issuer: oidc.url, clientId: CLIENT, clientSecret: null };
  const app = await testApp({ operators });
  const put = async (path: string, body: unknown) => must(await app.operator('ada', 'PUT', path, body));
  for (const name of ['alan', 'anna', 'tess']) await put(`/api/people/${name}`, { display_name: name });
  for (const [name, person] of Object.entries(accounts)) {
    await put(`/api/operators/${name}`, { person, issuer: oidc.url, subject: `${name}-at-idp` });
  }
  const give = async (tenant: string | null, person: string) =>
    must(await app.operator('ada', 'POST', '/api/assignments', { tenant, holder: { person }, role: 'administrator' }));
  for (const name of ['alan', 'anna']) await give(null, name);
  await give('acme', 'tess');
  const token = (who: string): Promise<string> => oidc.token(who, CLIENT);
  const held = new Map<string, { readonly token: string; readonly since: number }>();
  const tokenOf = async (who: string): Promise<string> => {
    const known = held.get(who);
    if (known !== undefined && performance.now() - known.since < FRESH_FOR_MS) return known.token;
    const one = { token: await token(who), since: performance.now() };
    held.set(who, one);
    return one.token;
  };
  const as: Administered['as'] = async (who, method, path, body, node = app) =>
    node.call(method, path, { token: await tokenOf(who), ...(body === undefined ? {} : { body }) });
  for (const name of ['ada', 'alan']) must(await as(name, 'GET', '/api/people'));
  return {
    app,
    node: (options = {}) => app.node({ operators, ...options }),
    as,
    token,
    async close() {
      await app.close();
      await oidc.stop();
    },
  };
}
