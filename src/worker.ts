/**
 * The entry on Cloudflare Workers: the same app, with a store for each request, and the sweeper by cron. An isolate
 * looks at its database before it serves, and refuses everything while the lock or the reads do not hold there.
 */
import { createApp } from './app.ts';
import { count, hunt, watch } from './broker.ts';
import { FAILURES } from './core/failure.ts';
import { pause } from './core/pause.ts';
import { StoreUnavailable } from './core/store.ts';
import type { Deps } from './deps.ts';
import { isolateOf } from './worker/isolate.ts';
import { log } from './worker/log.ts';
import { begin } from './worker/parts.ts';
import type { Parts } from './worker/parts.ts';
import type { Bindings, CronEvent, Invocation } from './worker/platform.ts';

/** The cron comes once a minute. Its passes go on into the next one's first, which may be late. */
const SWEEP_FOR_MS = 75_000;
const SWEEP_EVERY_MS = 1_000;
/** How often a pass looks whether breakers are to be counted. */
const COUNT_LOOK_MS = 5_000;
const RETRY_SECONDS = 2;

const app = createApp((env) => (env as typeof env & { readonly deps: Deps }).deps);

const worker = {
  async fetch(request: Request, bindings: Bindings, invocation: Invocation): Promise<Response> {
    const answered = answer(request, bindings);
    // A caller who leaves does not stop what was begun; and the store is closed after the answer.
    invocation.waitUntil(answered.then(({ parts }) => parts?.over()));
    return (await answered).response;
  },

  /** A fault before the first pass is the platform's to show: no heartbeat is written, and so nothing is issued. */
  async scheduled({ scheduledTime }: CronEvent, bindings: Bindings): Promise<void> {
    const { deps, over } = await begin(await isolateOf(bindings), bindings);
    try {
      deps.background(hunt(deps));
      let countAt = 0;
      for (let more = true; more;) {
        await pass(deps);
        if (Date.now() >= countAt) {
          deps.background(counting(deps));
          countAt = Date.now() + COUNT_LOOK_MS;
        }
        more = Date.now() < scheduledTime + SWEEP_FOR_MS;
        if (more) await pause(SWEEP_EVERY_MS);
      }
    } finally {
      await over();
    }
  },
};

export default worker;

interface Answered {
  readonly response: Response;
  readonly parts: Parts | null;
}

async function answer(request: Request, bindings: Bindings): Promise<Answered> {
  let parts: Parts;
  try {
    parts = await begin(await isolateOf(bindings), bindings);
  } catch (fault) {
    return { response: refuse(fault), parts: null };
  }
  return { response: await app.fetch(request, { deps: parts.deps }), parts };
}

/** Nothing is looked up before an isolate may serve, so nothing is said but that. */
function refuse(fault: unknown): Response {
  const { name, message } = fault instanceof Error ? fault : new Error(String(fault));
  log.error('not_serving', { fault: name, message });
  const code = fault instanceof StoreUnavailable ? 'database_unavailable' : 'not_serving';
  const { title, status } = FAILURES[code];
  return Response.json(
    { type: 'about:blank', title, status, code, detail: `${title}. Its log says why.` },
    {
      status,
      headers: {
        'content-type': 'application/problem+json',
        'cache-control': 'no-store',
        'retry-after': String(RETRY_SECONDS),
      },
    },
  );
}

/** One that fails is logged, and the next one comes all the same. */
async function pass(deps: Deps): Promise<void> {
  try {
    await watch(deps);
  } catch (fault) {
    deps.log.error('sweep.failed', { fault: String(fault) });
  }
}

/** The same. */
const counting = (deps: Deps): Promise<void> =>
  count(deps).catch((fault: unknown) => deps.log.error('breakers.not_counted', { fault: String(fault) }));
