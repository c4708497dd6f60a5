/** The parts of one invocation: a store of its own, which is closed when all that the invocation began is over. */
import { writeRefusals } from '../attribute/refusals.ts';
import { channelsOver } from '../channels/over.ts';
import { compose } from '../compose.ts';
import { pause } from '../core/pause.ts';
import type { Store } from '../core/store.ts';
import { after, seconds } from '../core/time.ts';
import type { Deps } from '../deps.ts';
import { workersForward } from '../fetch/workers-forward.ts';
import { httpProvider } from '../providers/http/provider.ts';
import { awsProvider } from '../providers/aws/provider.ts';
import { jwtProvider } from '../providers/jwt.ts';
import { openStore } from '../store/open.ts';
import { random } from './isolate.ts';
import type { Isolate, Learned } from './isolate.ts';
import { log } from './log.ts';
import type { Bindings } from './platform.ts';
import { databaseOf } from './settings.ts';

/** How often the offset to the database's clock is measured anew. */
const MEASURE_EVERY_MS = 30_000;
/** Refusals that come within this are written together, while the platform still keeps the invocation. */
const GATHER_REFUSALS = seconds(5);

export interface Parts {
  readonly deps: Deps;
  /** Resolves when the work in the background is done and the store is closed. */
  over(): Promise<void>;
}

/** @throws what `openStore` throws: then nothing may be served. */
export async function begin(isolate: Isolate, bindings: Bindings): Promise<Parts> {
  const { settings, keyring, node, clock, learned, request, kept } = isolate;
  const store = await openStore({
    database: { url: databaseOf(bindings) },
    keyring,
    node,
    log,
    mode: 'workers',
    kept: isolate.snapshots,
    checked: learned.isFit,
    ...(learned.offset === null ? {} : { offset: learned.offset }),
  });
  learned.isFit = true;
  const { background, over } = whatIsBegun(store);
  const { publicUrl } = settings;
  const forward = workersForward((url, options) => globalThis.fetch(url, options));
  await keepTime(store, learned, background).catch(async (fault: unknown) => {
    await over();
    throw fault;
  });
  // Of this invocation alone: what it gathers is promises.
  const aws = awsProvider({ clock, turns: store.turns, endpoints: settings.allowPrivateHosts });
  const deps: Deps = compose({
    store,
    keyring,
    rules: isolate.rules,
    clock,
    random,
    fetch: isolate.fetch,
    forward,
    issuerKeys: isolate.issuerKeys,
    log,
    node,
    publicUrl,
    operators: settings.operators,
    channels: channelsOver(request, clock, settings.channels),
    pause,
    background,
    keepAnswers: true,
    providers: (signer) => [
      jwtProvider({ signer, request, publicUrl, clock }),
      aws,
      httpProvider({ signer, forward, publicUrl }),
    ],
    kept: { ...kept, refusals: writtenLater(isolate, () => background(writeLater(deps))) },
  });
  return { deps, over };
}

/** Keeps count of work in the background, so that the store is closed after the last of it. */
function whatIsBegun(store: Store): Pick<Parts, 'over'> & Pick<Deps, 'background'> {
  const begun: Promise<void>[] = [];
  return {
    background(work) {
      const logged = work.then(
        () => undefined,
        (fault: unknown) => log.error('background.failed', { fault: String(fault) }),
      );
      begun.push(logged);
    },
    async over() {
      // What is done in the background may itself begin something.
      for (const work of begun) await work;
      await store.close();
    },
  };
}

/** Waits for the first measurement alone: clocks drift slowly, and `/healthz` is not to need the database. */
async function keepTime(store: Store, learned: Learned, background: Deps['background']): Promise<void> {
  const measure = async (): Promise<void> => {
    learned.measuredAt = Date.now();
    learned.offset = await store.clockOffset();
  };
  if (learned.offset === null) await measure();
  else if (Date.now() - learned.measuredAt > MEASURE_EVERY_MS) background(measure());
}

/** The count is in this isolate's memory, which no cron pass elsewhere sees: the first that counts writes for all. */
function writtenLater({ kept: { refusals }, clock, learned }: Isolate, write: () => void): Deps['refusals'] {
  return {
    take: () => refusals.take(),
    giveBack: (counted) => refusals.giveBack(counted),
    wrote: (kind) => refusals.wrote(kind),
    repeats(kind) {
      const counted = refusals.repeats(kind);
      const now = clock();
      if (counted && now >= learned.writesRefusalsUntil) {
        learned.writesRefusalsUntil = after(now, GATHER_REFUSALS);
        write();
      }
      return counted;
    },
  };
}

async function writeLater(deps: Deps): Promise<void> {
  await pause(GATHER_REFUSALS * 1000);
  await writeRefusals(deps);
}
