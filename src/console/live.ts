/**
 * What keeps an open page as things are: a stream of server-sent events, on which nothing is ever said but that
 * something has changed. Where there is none, a page is whole all the same.
 *
 * @see HTML, Server-sent events
 */
import { Hono } from 'hono';
import type { Context } from 'hono';
import { parseName } from '../core/ids.ts';
import type { TenantName } from '../core/ids.ts';
import type { Shown, Told } from '../core/live.ts';
import type { Scope } from '../http/scope.ts';
import { anyone } from './visit.ts';
import type { SignedInVisit, Visit } from './visit.ts';

export const live = new Hono<Scope>();

/** Browsers stop coming back for a stream where there is nothing. @see HTML section 9.2.3 */
const NO_STREAM = 204;
/** Who reads so little of it is gone. */
const MOST_UNREAD = 32;
const COME_BACK_MS = 5_000;
const HEADERS = { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' };

const MESSAGES = {
  changed: 'event: changed\ndata:\n\n',
  beat: ':\n\n',
  over: 'event: over\ndata:\n\n',
  gone: '',
} as const satisfies Record<Told, string>;

/** Called before anything that the page shows is read, so that nothing is missed in between. @returns for `Page.live`. */
export async function liveAsks({ deps, caller }: SignedInVisit): Promise<string | null> {
  return deps.live && `/live/approvals?mark=${await deps.live.mark({ asks: caller.person, ledgers: [] })}`;
}

/** @param tenant of the tenants that they oversee; `null`: all of those. */
export async function liveOversight({ deps }: Visit, tenants: readonly TenantName[], tenant: TenantName | null) {
  if (deps.live === null) return null;
  const mark = await deps.live.mark({ asks: null, ledgers: tenant === null ? tenants : [tenant] });
  return `/live/oversight?mark=${mark}${tenant === null ? '' : `&tenant=${tenant}`}`;
}

live.get(
  '/live/approvals',
  anyone((c, visit) =>
    visit.caller === null ? c.body(null, NO_STREAM) : stream(c, visit, { asks: visit.caller.person, ledgers: [] }),
  ),
);

live.get(
  '/live/oversight',
  anyone(async (c, visit) => {
    if (visit.caller === null) return c.body(null, NO_STREAM);
    const overseen = await visit.deps.store.overseenBy(visit.caller.person);
    const tenant = parseName('tenant', c.req.query('tenant'));
    const ledgers = tenant.ok ? overseen.filter((one) => one === tenant.value) : overseen;
    return ledgers.length === 0 ? c.body(null, NO_STREAM) : stream(c, visit, { asks: null, ledgers });
  }),
);

function stream(c: Context<Scope>, { deps, bound: session }: Visit, shown: Shown): Response {
  const { live: pages } = deps;
  if (pages === null) return c.body(null, NO_STREAM);
  // Nobody reads what comes of it, nor tells when they have gone.
  if (c.req.method === 'HEAD') return c.body(null, 200, HEADERS);
  const bytes = new TextEncoder();
  let stop = (): void => {};
  const body = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        controller.enqueue(bytes.encode(`retry: ${COME_BACK_MS}\n\n`));
        stop = pages.listen({
          session,
          shown,
          mark: c.req.query('mark') ?? '',
          hear(told) {
            controller.enqueue(bytes.encode(MESSAGES[told]));
            if (told !== 'over' && told !== 'gone' && (controller.desiredSize ?? 0) > -MOST_UNREAD) return;
            stop();
            controller.close();
          },
        });
      },
      cancel: () => stop(),
    },
    { highWaterMark: 0 },
  );
  return c.body(body, 200, HEADERS);
}
