/** What of docs/reference.md is drawn from the code, or held against it: a page that differs is wrong. */
import { FAILURES } from '../../src/core/failure.ts';
import { DATABASE, databaseStatements, OWNER, roleStatements } from '../../src/embedded/provision.ts';

/** Each between two marks: `<!-- errors: drawn from … -->` and `<!-- end of errors -->`. */
const DRAWN = { errors: errorsTable, provisioning } as const;

function errorsTable(): string {
  const rows = Object.entries(FAILURES).map(
    ([code, { status, title, oauth }]) => `| \`${code}\` | ${status} | \`${oauth}\` | ${title} |`,
  );
  return ['| code | HTTP | on the OAuth endpoints | what it says |', '|---|---|---|---|', ...rows].join('\n');
}

/** What the administrator of an outside Postgres runs: what the embedded one gets. */
function provisioning(): string {
  const roles = roleStatements({ owner: 'a password', login: 'another password' });
  const database = `CREATE DATABASE ${DATABASE} OWNER ${OWNER};`;
  return ['```sql', roles, database, databaseStatements(DATABASE), '```'].join('\n');
}

/** The page with what is drawn drawn anew. */
export function drawn(page: string): string {
  return Object.entries(DRAWN).reduce((so, [name, draw]) => {
    const parts = new RegExp(`(<!-- ${name}: drawn from \\S+ -->\\n).*?(\\n<!-- end of ${name} -->)`, 's');
    if (!parts.test(so)) throw new Error(`docs/reference.md lacks the marks of ${name}`);
    return so.replace(parts, (_, start: string, end: string) => `${start}${draw()}${end}`);
  }, page);
}

/** Routes as the page's tables name them: `GET, PUT /api/tenants/{tenant}` is two. */
export function routesOn(page: string): ReadonlySet<string> {
  const [, routes = ''] = /^## Routes\n(.*?)^## /ms.exec(page) ?? [];
  const cells = routes.split('\n').flatMap((line) => /^\| (`.*?`) \| /.exec(line)?.[1] ?? []);
  const spans = cells.flatMap((cell) => [...cell.matchAll(/`([A-Z, ]+) (\/[^`?]*)(?:\?[^`]*)?`/g)]);
  return new Set(
    spans.flatMap(([, methods = '', path = '']) =>
      methods.split(', ').map((method) => `${method} ${path.replaceAll(/\{\w+\}/g, '{}')}`),
    ),
  );
}

/** Beside what callers call: forms and parts of the console's own pages. */
const OF_PAGES = /^(?:GET \/(?:console|live)\/|POST \/(?!t\/|api\/))/;

/** The same of the routes that an app serves. */
export const routesServed = (served: readonly { readonly method: string; readonly path: string }[]) =>
  new Set(
    served
      .filter(({ path }) => path !== '/*')
      .map(({ method, path }) => `${method === 'ALL' ? 'ANY' : method} ${path.replaceAll(/:\w+/g, '{}')}`)
      .filter((route) => !OF_PAGES.test(route)),
  );
