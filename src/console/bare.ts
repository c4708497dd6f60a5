/** Pages without the frame, which needs what may just have failed: the database, and who looks. */
import type { Context } from 'hono';
import { html } from 'hono/html';
import { FAILURES } from '../core/failure.ts';
import type { FailureCode } from '../core/failure.ts';
import type { Scope } from '../http/scope.ts';
import { STYLE_PATH } from './assets.ts';
import { secure } from './headers.ts';

/** Whether a browser asks, for a person to read. */
export const wantsPage = (c: Context<Scope>): boolean => c.req.header('accept')?.includes('text/html') === true;

export const nothingHerePage = (c: Context<Scope>): Response | Promise<Response> =>
  barePage(c, 'not_found', html`<p>There is no page at this address. <a href="/">Go to what is open.</a></p>`);

/** @param code what went wrong: the page's status and title. */
export function barePage(
  c: Context<Scope>,
  code: FailureCode,
  says: ReturnType<typeof html>,
): Response | Promise<Response> {
  const { status, title } = FAILURES[code];
  secure(c);
  return c.html(
    html`<!doctype html>
      <html lang="en">
        <head>
          <meta charset="utf-8" />
          <meta name="viewport" content="width=device-width, initial-scale=1" />
          <title>${title} · Brevet</title>
          <link rel="stylesheet" href="${STYLE_PATH}" />
        </head>
        <body>
          <main>
            <article class="slip">
              <h1>${title}</h1>
              ${says}
              <p><code>${c.var.requestId}</code></p>
            </article>
          </main>
        </body>
      </html>`,
    status,
  );
}
